// Package presence implements RFC 6121 §4: it broadcasts the presence of a session to the subscribed
// contacts, records directed presence, answers probes, and sends unavailable presence when a session
// ends for any reason.
// It is a host's router.PresenceHandler. Stanzas about subscriptions are passed to
// router.Subscriptions (features/roster), which calls Granted and Revoked. The presence of a session
// is stored in router.Bound; this package has no state, no lock and no goroutine.
//
// Specifications: RFC 6121 §4, XEP-0203.
package presence
