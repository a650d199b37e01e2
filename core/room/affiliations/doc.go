// Package affiliations has the lists of a room: which affiliation each address has, and which nick is reserved for it. A change is
// planned first, so that the room can make it durable before it takes effect. [Lists] belongs to the goroutine of the room.
//
// Each change of an affiliation leads to a new version of the lists. A part of the versions is remembered, so that who knows one of them learns
// what has changed since.
//
// Specifications: XEP-0045 §5.2, §7.10, §9.2, §10.4, XEP-0463.
package affiliations
