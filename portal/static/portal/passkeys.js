/* A passkey that did not work: allauth's scripts tell the console, and people need to know as well. */
document.addEventListener("allauth.error", (e) => {
  e.preventDefault();
  const box = document.querySelector("[data-passkey-error]");
  const none = e.detail.exception?.name === "NotAllowedError" || e.detail.exception?.name === "AbortError";
  box.textContent = none ? "No passkey was used: it was cancelled, or there is none for this address." : "The passkey did not work. Try again, or use another way to sign in.";
  box.hidden = false;
});
