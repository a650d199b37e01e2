// Package visits remembers what people have done in a room, whether they are in it or not: the role that they have left with, and how
// often they speak, request voice and change their presence. All lists are bounded. Roles that a moderator has decided about are stored
// with the room; everything else is in memory only. [Visits] belongs to the goroutine of the room.
//
// Specifications: XEP-0045 §5.1, §14.6; XEP-0500.
package visits
