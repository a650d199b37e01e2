// Package extdisco lists the services besides XMPP that clients may use, such as STUN and TURN
// servers for calls (XEP-0215). The services are those of the configuration. For a TURN server that shares a secret
// with this server, temporary passwords are generated as in draft-uberti-behave-turn-rest; other
// services have the configured user name and password, or none.
//
// Credentials are given to accounts of this server only. There is no goroutine and no lock.
//
// Specification: XEP-0215.
package extdisco
