// The phone on the page: the chat of one person with one business number, as that person sees it.

const phone = { chat: '', about: '', quoted: null };

const MEDIA = ['image', 'video', 'audio', 'voice', 'document', 'sticker'];
const SAMPLES = {
  location: { latitude: -6.1754, longitude: 106.8272, name: 'Monas', address: 'Gambir, Jakarta' },
  contacts: [{ name: { formatted_name: 'Budi Example', first_name: 'Budi' },
    phones: [{ phone: '+62 812-0000-0009', type: 'CELL' }] }],
  order: { catalog_id: '800000000000001', product_items: [
    { product_retailer_id: 'sku-1', quantity: 2, item_price: 25000, currency: 'IDR' }] },
  unsupported: { type: 'poll' },
};

const who = () => by('person').value.replace(/\D/g, '');
const business = () => by('numbers').value;
const send = (method, path, body) => ask(path, { method,
  headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

async function act(does, more = {}) {
  const answer = await send('POST', '_control/phone',
    { phone_number_id: business(), from: who(), does, ...more });
  by('outcome').textContent = answer.error || '';
  await showPhone();
  return !answer.error;
}

function quote(message) {
  phone.quoted = message && message.id;
  by('quoted').textContent = message ? `Answering: ${message.words}` : '';
  by('unquote').hidden = !message;
  if (message) by('words').focus();
}

function button(label, does) {
  const element = make('button', label, 'small');
  element.type = 'button';
  element.addEventListener('click', does);
  return element;
}

function media(kind, about) {
  if (!about.id) return make('div', about.link || 'This file did not get through.');
  const path = `_control/media/${about.id}`;
  const tag = { image: 'img', sticker: 'img', video: 'video', audio: 'audio' }[kind];
  if (!tag) {
    const link = make('a', about.filename || 'Document');
    link.href = path;
    link.download = about.filename || '';
    return link;
  }
  const element = make(tag, '');
  element.src = path;
  if (tag === 'img') element.alt = about.caption || kind;
  else element.controls = true;
  return element;
}

const lines = (...parts) => parts.filter(Boolean).join('\n');

/** What each kind of message says in words; media say their caption. */
const WORDS = {
  text: about => about.body,
  button: about => about.text,
  location: about => lines(about.name, about.address, `${about.latitude}, ${about.longitude}`),
  contacts: about => lines(...about.map(card =>
    [card.name && card.name.formatted_name, ...(card.phones || []).map(one => one.phone)].filter(Boolean).join(' · '))),
  reaction: about => about.emoji ? `Reacted ${about.emoji}` : 'Took the reaction back',
  interactive: about => about.body
    ? lines(about.header && about.header.text, about.body.text, about.footer && about.footer.text)
    : (about[about.type] || {}).title,
  order: about => lines(...about.product_items.map(item => `${item.quantity} × ${item.product_retailer_id}`)),
  edit: about => `Changed to: ${about.message.text.body}`,
  revoke: () => 'Took a message back',
  system: about => about.body || 'Has another number',
  unsupported: about => `A ${about.type}, which WhatsApp does not pass on`,
};

function content(kind, about) {
  const parts = MEDIA.includes(kind) ? [media(kind, about)] : [];
  const words = (WORDS[kind] ? WORDS[kind](about) : about.caption) || '';
  if (words || !parts.length) parts.push(make('div', words || kind));
  return { words: words || kind, parts };
}

/** Everything in a business's message that can be pressed. */
function offers(message) {
  const action = (message.content || {}).action;
  if (!action) return [];
  const choose = choice =>
    button(choice.title, () => act({ choice: { id: choice.id } }, { context: message.id }));
  const rows = (action.sections || []).flatMap(section => section.rows);
  const presses = [...(action.buttons || []).map(one => choose(one.reply)), ...rows.map(choose)];
  if (action.parameters && /^https?:/.test(action.parameters.url)) {
    const link = make('a', action.parameters.display_text);
    Object.assign(link, { href: action.parameters.url, rel: 'noreferrer', target: '_blank' });
    presses.push(link);
  }
  return presses;
}

/** What this person can do with a message of the business. */
function answers(sent) {
  const presses = [button('👍', () => act({ reaction: { message_id: sent.id, emoji: '👍' } }))];
  if (sent.type === 'template') {
    presses.push(button('Stop', () => act({ button: { text: 'Stop' } }, { context: sent.id })));
  }
  if ((sent.content || {}).voice) {
    presses.push(button('Play', () => act({ play: { message_id: sent.id } })));
  }
  if (!['read', 'played', 'failed'].includes(sent.status)) {
    presses.push(button('Read', () => act({ read: { message_id: sent.id } })));
  }
  return presses;
}

/** What they can do with one of their own. */
function changes(heard) {
  if (heard.type !== 'text') return [];
  const edit = () => {
    const text = prompt('Instead it says', heard.message.text.body);
    if (text) act({ edit: { message_id: heard.id, text } });
  };
  return [button('Edit', edit), button('Delete', () => act({ revoke: { message_id: heard.id } }))];
}

function bubble({ sent, heard }) {
  const message = sent || heard;
  const item = make('li', '', sent ? 'theirs' : 'mine');
  // Of a template only the filled text is kept.
  const said = heard ? content(heard.type, heard.message[heard.type] || {})
    : sent.content ? content(sent.type, sent.content) : content('text', { body: sent.text });
  if (sent ? sent.context : (heard.message.context || {}).id) {
    item.append(make('small', 'An answer to an earlier message'));
  }
  item.append(...said.parts);
  const pressed = sent ? offers(sent) : [];
  if (pressed.length) {
    const row = make('div', '', 'row');
    row.append(...pressed);
    item.append(row);
  }
  const about = make('small', '');
  about.append(make('time', new Date(sent ? sent.accepted_ms : heard.at_ms).toLocaleTimeString()),
    make('span', sent ? sent.status : heard.read ? 'seen' : 'written', sent && sent.status),
    button('Reply', () => quote({ id: message.id, words: said.words })),
    ...(sent ? answers(sent) : changes(heard)));
  item.append(about);
  return item;
}

async function showPhone() {
  const [number, person] = [business(), who()];
  if (!number || person.length < 7) return;
  const [chat, traits] = await Promise.all([
    ask(`_control/chat?phone_number_id=${number}&person=${person}`), ask(`_control/people/${person}`)]);
  // Whatever is being played or pressed stays as it is while nothing is new.
  const seen = JSON.stringify([number, person, chat]);
  if (chat.data && seen !== phone.chat) {
    phone.chat = seen;
    by('chat').replaceChildren(...chat.data.map(bubble));
    if (chat.typing) by('chat').append(make('li', 'typing …', 'theirs'));
    by('chat').scrollTop = by('chat').scrollHeight;
  }
  const about = JSON.stringify([number, traits]);
  if (traits.number && about !== phone.about) {
    phone.about = about;
    for (const trait of ['shows', 'reads', 'plays']) by(trait).value = traits[trait];
    by('name').value = traits.name || '';
    by('block').textContent = traits.blocked.includes(number) ? 'Unblock the business' : 'Block the business';
    by('marketing').textContent = traits.stopped.includes(number) ? 'Resume marketing' : 'Stop marketing';
    by('moved').textContent = traits.moved_to ? `This person has the number +${traits.moved_to} now.` : '';
  }
}

const base64 = file => new Promise((done, failed) => {
  const reader = new FileReader();
  reader.onload = () => done(reader.result.split(',')[1]);
  reader.onerror = () => failed(reader.error);
  reader.readAsDataURL(file);
});

/** The act that the composer describes. */
async function composed() {
  const kind = by('kind').value;
  const words = by('words').value;
  if (kind === 'text') return { text: words };
  if (SAMPLES[kind]) return { [kind]: SAMPLES[kind] };
  const about = kind === 'voice' ? { voice: true } : {};
  if (words && !['voice', 'audio', 'sticker'].includes(kind)) about.caption = words;
  const file = by('file').files[0];
  if (file) {
    about.base64 = await base64(file);
    about.mime_type = file.type || 'application/octet-stream';
    if (kind === 'document') about.filename = file.name;
  }
  return { [kind === 'voice' ? 'audio' : kind]: about };
}

by('compose').addEventListener('submit', async event => {
  event.preventDefault();
  const more = phone.quoted ? { context: phone.quoted } : {};
  if (!await act(await composed(), more)) return;
  by('words').value = '';
  by('file').value = '';
  quote(null);
});
by('kind').addEventListener('change', () => {
  by('file').parentElement.hidden = !MEDIA.includes(by('kind').value);
  by('words').parentElement.hidden = Boolean(SAMPLES[by('kind').value]);
});
by('unquote').addEventListener('click', () => quote(null));
for (const trait of ['shows', 'reads', 'plays', 'name']) {
  by(trait).addEventListener('change', () =>
    send('PATCH', `_control/people/${who()}`, { [trait]: by(trait).value }).then(showPhone));
}
by('read-all').addEventListener('click', () => act({ read: {} }));
by('block').addEventListener('click', () =>
  act(by('block').textContent.startsWith('Unblock') ? { unblock: {} } : { block: {} }));
by('marketing').addEventListener('click', () =>
  act({ marketing: by('marketing').textContent.startsWith('Stop') ? 'stop' : 'resume' }));
by('move').addEventListener('click', async () => {
  const to = prompt('The new number');
  if (to && await act({ change_number: { to } })) by('person').value = to;
});
for (const field of ['numbers', 'person']) {
  by(field).addEventListener('change', () => { quote(null); showPhone(); });
}
