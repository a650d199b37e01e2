// Command xmppbench is a load generator for any XMPP server that reports CPU and memory: pairs that chat, idle
// sessions, logins, room fan-out, presence fan-out, queries of an archive. Given the server's process id it reports CPU per
// stanza and resident memory per session; with -vs it measures a second server in the same run, in turn.
//
// It uses its own client, which only searches for the ends of stanzas, so that the load takes less CPU than
// the server. SCRAM keys are cached, as clients may do (RFC 5802 section 5.1). Only loopback addresses are
// accepted as targets.
package main
