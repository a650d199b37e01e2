// Package client is a scripted XMPP client and component: it logs in (RFC 6120: STARTTLS,
// SASL through mellium.im/sasl, bind; XEP-0114 for components) and then sends exactly the
// bytes it is given and returns each stanza as it came. It answers nothing by itself and
// shares no code with the server.
//
// One goroutine per connection reads; it ends when the connection does. Send may be called
// from several goroutines, Next from one.
package client
