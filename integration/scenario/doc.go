// Package scenario runs scenarios: text files that say what clients send to a server and what each
// of them must receive, readable without knowing Go. A scenario looks like this:
//
//	# Two accounts exchange messages
//
//	[Client] alice
//		jid: alice@{host}
//		password: wonderland
//
//	[Client] bob
//		jid: bob@{host}/phone
//		password: builder
//
//	-----
//
//	alice and bob connect
//
//	alice sends:
//		<message to="bob@{host}/phone" type="chat"><body>Hello</body></message>
//
//	bob receives:
//		<message from="{alice}" type="chat"><body>Hello</body></message>
//
//	alice receives nothing
//
// The head names the participants; the steps below the line of dashes run in order.
// ../scenarios/README.md documents the participants, the steps and the names in braces; package xmltree
// documents how stanzas are compared. Stanzas are normalised first (RFC 6120 §8.1): a missing "from" is
// the client's own bare JID, and a "to" that the scenario leaves out may be the client's own bare or
// full JID. An xml:lang on the stanza, and a XEP-0359 stanza-id by the participant's own account, are
// ignored if the scenario has none. A server's requests for acknowledgements (XEP-0198 §4) are always ignored.
//
// Each client has the reader goroutine of its connection; the runner itself is one goroutine.
package scenario
