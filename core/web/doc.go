// Package web is the HTTP listener of the server: one http.Server for all its HTTP ports, with a mux at which other parts
// register their routes before it serves.
//
// What all routes have in common is here: connections are limited by address (package peerlimit), headers and bodies in size, and a peer
// that sends or reads too slowly is cut off, also where a body may be as long as a file (Body, Writer). Behind a reverse proxy
// that the configuration trusts, the client's address is that of the X-Forwarded-For header, and what is limited are the
// requests of that address that are served at the same time. HTTP/2 is spoken over TLS, with a limit of streams; requests that
// were reset count until their handlers have returned, so resetting them (CVE-2023-44487) gains nothing.
//
// Each connection has the goroutines of net/http. Shutdown ends them, and returns when no handler runs any more. The one lock
// counts the handlers.
package web
