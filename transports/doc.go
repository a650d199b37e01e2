// Package transports is the contract between the bridge, which all gateways share, and a network. It
// knows no stanza and no JID.
//
// A network is a folder that implements three interfaces and registers itself:
//
//   - Network (network.go) describes the network, offers ways to log in, and opens connections;
//   - LoginProcess (login.go) is the dialogue that ends with a Login;
//   - Client (client.go) is an open connection of a login, which sends messages and gives what
//     happens on the network to a Sink (sink.go) as Events (event.go, message.go).
//
// Everything else that a client can do is an optional interface of one to five methods, which the
// network declares in its Caps (caps.go); check.go compares the two. Rooms, members and spaces are in room.go,
// what changes them in change.go, people in people.go. The class of an error (errors.go) decides whether to try
// again. Networks decode what they receive with transports/lenientjson, which leaves out values of an unexpected type.
// transports/echo is the smallest network that works, and its README leads through writing another one;
// transports/recorder opens logins in a network's tests and keeps what they deliver.
//
// From an event of a network to a stanza (paths below transports/):
//
//  1. <network>                 the client reads its socket and makes an Event
//  2. Sink.Deliver              bridge/inbox/sink.go, bridge/inbox/inbox.go: the event is stored, once per key (bridge/inbox/dedup.go: also
//     where several logins bring it), together with what comes at the same time (bridge/inbox/writer.go)
//     The echo of a message of ours is recognised by its nonce before that, and is not stored (bridge/outbox/echoes.go)
//  3. <network>                 acknowledges the event to the network
//  4. the conversation          bridge/conversation: its mailbox takes the events in order, once the history of the
//     room was read after a gap (bridge/inbox/backfill.go) and while the server can be reached
//  5. processing                bridge/inbox/process.go and files by kind, such as bridge/inbox/message.go: what the event
//     means in XMPP (bridge/convert); archived with its id map, and the event is done, in one transaction
//  6. Endpoint.SendAll          the router of this server, or the component link to a foreign one; once the message is
//     safe there, bridge/delivery notes it. A restart sends again, under the same id, what was not noted.
//     A room sends to those in it through bridge/rooms
//
// From a stanza to a call of a network:
//
//  1. Endpoint                  a stanza for the gateway's domain arrives at bridge/route.go, which gives it to
//     its conversation
//  2. checks                    bridge/convert/request.go, bridge/outbox/check.go: what it asks for; refused with a
//     stanza error where that cannot be done
//  3. outbox                    bridge/outbox/accept.go: stored; then the sender is acknowledged
//  4. the queue                 bridge/outbox/queue.go, bridge/outbox/call.go: makes the calls in order, repeats, waits (bridge/outbox/wait.go)
//  5. Client.Send, Edit …       <network>, called by bridge/outbox/requests.go
//  6. id map                    bridge/outbox/call.go: the network's id is stored beside the stanza's, and the call is
//     done, in one transaction
//
// Typing and presence are outdated soon: they are shown at once, or not at all (bridge/inbox/ephemeral.go,
// bridge/puppets/presence.go, bridge/outbox/typing.go).
//
// Clients own their goroutines and end them in Close. No type here holds a lock.
package transports
