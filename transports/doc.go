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
// what changes them in change.go, people in people.go. An error says by its class (errors.go) whether to try
// again. transports/echo is the smallest network that works, and its README leads through writing another one;
// transports/recorder opens logins in a network's tests and keeps what they deliver.
//
// From an event of a network to a stanza:
//
//  1. transports/<network>   the client reads its socket and makes an Event
//  2. Sink.Deliver           the bridge writes the event durably, once per key
//  3. <network>              acknowledges the event to the network
//  4. conversation           takes its events in order, once the history of the room was read after a gap
//     and while the server can be reached
//  5. conversion             what the event means in XMPP; archived with its id map in one transaction
//  6. Endpoint.SendAll       the router of this server, or the component link to a foreign one. A restart
//     sends again, under the same id, what is not known to be taken
//
// From a stanza to a call of a network:
//
//  1. Endpoint               a stanza for the gateway's domain arrives and is given to its conversation
//  2. conversion             what it wants done; refused with a stanza error where it cannot be done
//  3. outbox                 written durably; then the sender is acknowledged
//  4. conversation           takes the rows in order: it calls, retries, waits
//  5. Client.Send, Edit …    transports/<network>
//  6. id map                 the network's id is kept beside the stanza's, and the outbox row is done, in
//     one transaction
//
// Who writes just now and who is available is soon untrue: such an event is shown at once or not at all.
//
// Clients own their goroutines and end them in Close. No type here holds a lock.
package transports
