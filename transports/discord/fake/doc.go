// Package fake is a fake Discord server: an HTTP and gateway server with guilds, roles,
// members, channels, threads, direct messages, messages, reactions, webhooks, attachments
// and applications, which a client cannot tell from the real one in what it uses. Tests
// and the demo act as its users and inject faults.
//
// It builds its JSON from maps, never from a client library's structs, and shows every
// request, answer and event to an optional Checker (package conformance holds the one that
// compares them with Discord's published descriptions).
//
// A request goes Server.ServeHTTP → serveREST (version, route, faults, token, rate limit,
// body) → the route's handler, which runs as a whole under Server.mu → faults → answer.
// What a handler changes becomes an event in dispatch.go, is appended to the log of every
// session that wants it, and is written by that connection's own goroutine.
//
// Goroutines: the listener's, one reader and one writer per gateway connection, one that
// calls the hooks in order. Close waits for all of them. There is one lock, Server.mu; it
// is never held across I/O or a hook, and lower-case methods expect it held where their
// comment does not say otherwise.
//
// Sources: Discord's API reference v10 (resources, gateway, rate limits, opcodes and
// status codes).
package fake
