// Package web is the HTTP listener of the server: one http.Server for all its HTTP ports, with a mux at which other parts
// register their routes before it serves.
//
// What all routes have in common is here: connections are limited by address (package peerlimit), headers and bodies in size, and a peer
// that sends or reads too slowly is cut off, also where a body may be as long as a file (Body, Writer). Behind a reverse proxy
// that the configuration trusts, the client's address is that of the X-Forwarded-For header, and what is limited are the
// requests of that address that are served at the same time.
//
// HTTP/2 is not spoken. Dino on Debian 12 (libsoup 3.2) crashes when the answer to an upload over HTTP/2 comes before it has noted the end of
// what it sent, and no route needs HTTP/2: a WebSocket has a connection of its own (RFC 6455), and so have uploads.
//
// Each connection has the goroutines of net/http. Shutdown ends them, and returns when no handler runs any more. The one lock
// counts the handlers.
package web
