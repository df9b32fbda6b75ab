// The only script of the pages. Each page works without it. It does two things:
// - it shows a button beside each password that makes the password readable;
// - it uses passkeys (WebAuthn Level 3): options come from an attribute, and the answer goes into the hidden field of a
//   form, so the page makes no requests of its own.

/* Passwords */

for (const field of document.querySelectorAll('input[type=password][data-reveal]')) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'reveal';
  button.textContent = field.dataset.reveal;
  button.setAttribute('aria-controls', field.id);
  const show = (isShown) => {
    field.type = isShown ? 'text' : 'password';
    button.setAttribute('aria-pressed', String(isShown));
  };
  show(false);
  button.addEventListener('click', () => show(field.type === 'password'));
  // So that browsers save the password, and it is hidden again on the next page of the history.
  field.form.addEventListener('submit', () => show(false));
  field.after(button);
}

/* Passkeys */

const toBytes = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));

const toText = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');

const withBytes = (credentials = []) => credentials.map((one) => ({ ...one, id: toBytes(one.id) }));

/** The options of a form, with bytes where the browser wants them. */
function optionsOf(form) {
  const options = JSON.parse(form.dataset.options);
  options.challenge = toBytes(options.challenge);
  if (options.user) options.user.id = toBytes(options.user.id);
  if (options.allowCredentials) options.allowCredentials = withBytes(options.allowCredentials);
  if (options.excludeCredentials) options.excludeCredentials = withBytes(options.excludeCredentials);
  return options;
}

/** The answer as JSON. Not all browsers have `toJSON` of a credential. */
function answerOf({ id, rawId, type, response }) {
  const { clientDataJSON, attestationObject, authenticatorData, signature, userHandle } = response;
  const answer = { clientDataJSON: toText(clientDataJSON) };
  if (attestationObject) {
    answer.attestationObject = toText(attestationObject);
    answer.transports = response.getTransports?.() ?? [];
  } else {
    answer.authenticatorData = toText(authenticatorData);
    answer.signature = toText(signature);
    if (userHandle?.byteLength) answer.userHandle = toText(userHandle);
  }
  return JSON.stringify({ id, rawId: toText(rawId), type, response: answer });
}

function send(form, credential) {
  form.elements.answer.value = answerOf(credential);
  const remember = document.querySelector('input[name=remember]:checked');
  if (remember && !form.elements.remember) {
    const copy = document.createElement('input');
    copy.type = 'hidden';
    copy.name = 'remember';
    copy.value = remember.value;
    form.append(copy);
  }
  form.submit();
}

/** The request that waits until the person chooses a passkey in the field for the address. */
let waiting;

async function offerInField(form) {
  waiting = new AbortController();
  const { signal } = waiting;
  try {
    const publicKey = optionsOf(form);
    const credential = await navigator.credentials.get({ mediation: 'conditional', publicKey, signal });
    if (credential) send(form, credential);
  } catch {
    // The person used the password or the button, or the browser offers nothing here.
  }
}

async function ask(form) {
  const message = form.querySelector('[data-message]');
  message.hidden = true;
  // A browser runs one request at a time.
  waiting?.abort();
  try {
    const publicKey = optionsOf(form);
    const { credentials } = navigator;
    send(form, await (publicKey.user ? credentials.create({ publicKey }) : credentials.get({ publicKey })));
  } catch (error) {
    const { failed, cancelled, exists } = message.dataset;
    const messages = { NotAllowedError: cancelled, AbortError: cancelled, InvalidStateError: exists };
    message.textContent = messages[error.name] || failed;
    message.hidden = false;
    if (form.dataset.passkey === 'field') offerInField(form);
  }
}

if (window.PublicKeyCredential) {
  for (const form of document.querySelectorAll('form[data-passkey]')) {
    form.hidden = false;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      ask(form);
    });
    if (form.dataset.passkey === 'field')
      Promise.resolve(PublicKeyCredential.isConditionalMediationAvailable?.()).then((isAvailable) => {
        if (isAvailable) offerInField(form);
      });
  }
  for (const note of document.querySelectorAll('[data-without-passkeys]')) note.hidden = true;

  // Only a device that can make a passkey is asked whether it wants one.
  const forms = document.querySelectorAll('form[data-can-add-passkey]');
  if (forms.length > 0)
    PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable().then((isAvailable) => {
      for (const form of isAvailable ? forms : []) {
        const field = document.createElement('input');
        field.type = 'hidden';
        field.name = 'canAddPasskey';
        field.value = 'yes';
        form.append(field);
      }
    });
}
