// Package visits remembers what people have done in a room, whether they are in it or not: the role that they have left with, and
// how often they speak, ask and change their presence. All lists are bounded. Roles that a moderator has decided about are stored with the
// room; how often somebody speaks or asks is not, and neither is the role of one who had a voice before the room became moderated. It belongs to the goroutine of the room.
//
// Specifications: XEP-0045 §5.1, §14.6; XEP-0500.
package visits
