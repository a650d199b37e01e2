// Command xmppbench puts load on any XMPP server and tells what it cost: pairs that chat, sessions that
// do nothing, logins, room fan-out, presence storms. Given the server's process id it reports CPU per
// stanza and resident memory per session; with -vs it measures a second server in the same run, in turn.
//
// The client is one of its own, which looks for the ends of stanzas only, so that the load takes less CPU than
// the server. What SCRAM derives from a password is kept, as clients may (RFC 5802 section 5.1). Only addresses
// of this machine are accepted as targets.
package main
