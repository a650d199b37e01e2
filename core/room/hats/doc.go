// Package hats has the hats of a room (XEP-0317): which there are, who wears them, and the ad-hoc commands by which owners and admins manage
// them. A List is a value that its operations copy. There is no lock and no goroutine; commands run in the goroutine of the room.
//
// Specification: XEP-0317.
package hats
