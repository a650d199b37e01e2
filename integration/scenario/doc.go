// Package scenario runs scenarios: text files that say what clients send to a server and what each
// of them must receive, readable without knowing Go. A scenario looks like this:
//
//	# Two people exchange messages
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
// The head names the clients (and components: "[Component] gateway" with jid and secret).
// "[Server]" with "only: dragoman" and "because: …" keeps a scenario from other servers.
// Below the line are the steps, in order:
//
//	alice connects                      logs in and binds; sends no presence
//	alice cannot connect: C             the login is refused with condition C
//	alice sends:                        XML, with {names} put in
//	alice sends raw:                    bytes that need not be XML
//	alice receives:                     one or more stanzas, in this order, nothing between
//	alice receives, in any order:       the same, in any order
//	alice eventually receives:          skips other stanzas until this one comes
//	alice receives nothing              all that was sent has been dealt with, and nothing came
//	alice skips the rest                drops what has come, for steps that are not the point
//	alice disconnects                   closes the stream
//	alice loses the connection          the socket goes without a word
//	alice is disconnected: C            the server ends the stream, with stream error C if given ("C or D")
//	network slack: …                    the fake server of a network does something
//	network slack eventually: …         the fake server must come to show something
//	the server is killed and restarts   kill -9, then a start with the same data
//
// {host} is the served domain; {alice} is the full JID of a connected client,
// {alice.bare} and {alice.resource} are its parts; other names are captured from what is
// received. How stanzas are compared is told in package xmltree. Two things of RFC 6120
// §8.1 are evened out first: a missing "from" is the client's own bare JID, and a "to" that
// the scenario leaves out may be the client's own bare or full JID. A XEP-0359 stanza-id by the
// participant's own account and an xml:lang on the stanza are left out where the scenario has none.
//
// Each client has the reader goroutine of its connection; the runner itself is one goroutine.
package scenario
