// Starts Converse.js with what the page says about the server.
const page = document.body.dataset;
const { default: converse } = await import(page.files + 'converse.min.js');
const settings = {
  view_mode: 'fullscreen',
  assets_path: page.files.replace(/\/$/, ''),
  websocket_url: (location.protocol === 'https:' ? 'wss://' : 'ws://') + location.host + page.websocket,
  discover_connection_methods: false,
  auto_reconnect: true,
  allow_registration: page.register === 'true',
  registration_domain: page.host,
  default_domain: page.host,
  message_archiving: 'always',
  muc_nickname_from_jid: true,
};
if (page.guest) {
  Object.assign(settings, { authentication: 'anonymous', jid: page.guest, auto_login: true, allow_registration: false });
} else if (page.single === 'true') {
  settings.locked_domain = page.host;
}

// The footer of Converse.js shows pictures from another server, which would learn who chats here.
customElements.define('converse-footer', class extends HTMLElement {});
converse.initialize(settings);
