// Package delivery hands messages to the server and remembers which of them it has.
//
// A message of a direct chat is kept in its ready event of the inbox until the server has it: until
// a socket has taken it or the server has written it. The Log notes that in two plain files
// first, whose writes survive the end of the process at once, and marks the events in the
// database later, many in one transaction. Recover, at the start, hands over what a crash left
// unnoted, under the same ids. What is lost of the files in a power failure is delivered again.
//
// The Log starts no goroutine of its own besides those of the gateway's Group. Locks:
// Log.flushing → Log.mu. Log.mu is held while 8 bytes are appended to a file; Log.flushing is
// held while events are marked, and nobody waits for it.
package delivery
