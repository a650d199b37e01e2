// Package extdisco lists the services besides XMPP that clients may use, such as STUN and TURN
// servers for calls (XEP-0215). The services are those of the configuration. A TURN server that
// shares a secret with this server gets passwords that are good for a limited time, as
// draft-uberti-behave-turn-rest describes them; others have the user name and the password that
// are configured, or none.
//
// Credentials are given to accounts of this server only. There is no goroutine and no lock.
//
// Specification: XEP-0215.
package extdisco
