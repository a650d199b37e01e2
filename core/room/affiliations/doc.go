// Package affiliations has the lists of a room: which affiliation each address has, and which nick is reserved for it. A change is
// planned first, so that the room can make it durable before it takes effect. [Lists] belongs to the goroutine of the room.
//
// Specifications: XEP-0045 §5.2, §7.10, §9.2, §10.4.
package affiliations
