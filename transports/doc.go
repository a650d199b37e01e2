// Package transports is the contract between the bridge and a network, and the place
// where the two ways between XMPP and the networks are told. It knows no stanza and no JID.
//
// Network in — from an event of the network to a stanza:
//
//  1. transports/<network>   the client reads its socket and makes an Event
//  2. Sink.Deliver           bridge/sink.go, bridge/inbox.go: the event is written durably, once per key
//     (bridge/durable.go: also where several logins bring it)
//  3. <network>              acknowledges the event to the network
//  4. bridge/worker.go       the room's worker takes its events in order, once the room's past was
//     read (bridge/catchup.go) and while the server can be reached
//  5. bridge/step.go         ids, echo, text: what the event means in XMPP, by its kind in bridge/in_*.go;
//     archived with its id map, and the inbox row is done, in one transaction
//  6. Endpoint.SendAll       the router of this server, or the component link to a foreign one; when
//     they say that it is safe, taken by a socket or written, bridge/handed.go notes it. A restart
//     sends again what was not noted, under the same id. What a room says goes to all in it by bridge/muc.go
//
// Who writes just now and who is there is soon untrue: such an event goes from Sink.Deliver to
// bridge/fleeting.go, which says it at once or not at all.
//
// Network out — from a stanza to a call of the network:
//
//  1. Endpoint               a stanza for the gateway's domain arrives at bridge/receive.go, which gives it
//     to the worker of its room
//  2. bridge/out.go          what it means, by its kind in bridge/out_*.go; refused with a stanza error
//     where it cannot be done
//  3. bridge/outbox.go       written durably; then the sender is acknowledged
//  4. bridge/worker.go       the worker takes the rows in order: it calls, retries, waits, by bridge/call.go
//  5. Client.Send, Edit …   transports/<network>
//  6. bridge/call.go         the network's id is kept beside the stanza's, and the outbox row is done, in
//     one transaction
//
// A further network is one folder that imports this package, richtext and its SDK, a section of
// the configuration, and an entry in transports/all. transports/echo is the smallest one that
// works: copy it. transports/recorder opens logins in its tests and keeps what
// they deliver.
//
// Clients own their goroutines and end them in Close. No type here holds a lock.
package transports
