// Package presence shows who is available to whom (RFC 6121 §4): it broadcasts the
// presence of a session to the contacts that are subscribed, keeps track of directed
// presence, answers probes, and makes a session unavailable when it ends, for whatever reason.
//
// It is the router's PresenceHandler of a host. Stanzas about subscriptions are handed
// to Subscriptions (features/roster), which calls Granted and Revoked in return. The
// presence of a session itself is among the facts of the router's Bound; here is no state and no
// lock. Everything runs in the goroutine of the sender's stream.
//
// Specifications: RFC 6121 §4, XEP-0203.
package presence
