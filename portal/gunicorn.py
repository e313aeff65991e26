"""
gunicorn's settings: `gunicorn --config python:portal.gunicorn portal.wsgi`.

The access log names paths without their query and without the page before: an address of a sign-in holds codes.
"""

from portal.env import env

accesslog = None if env.DEBUG else "-"
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)s ms %({x-request-id}o)s'
