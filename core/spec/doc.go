// Package spec defines the type with which packages declare the XMPP extensions that they implement.
// config/dragoman.doap and the table in core/README.md are generated from these declarations.
package spec
