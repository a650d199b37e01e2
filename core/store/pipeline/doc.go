// Package pipeline executes one statement of PostgreSQL many times, each time in a transaction of its own, and waits for
// no answer. When Send has returned, the server's socket has the statement, so that the end of this process does not
// lose it. It may be lost where the server ends.
//
// A server that cannot send an answer, as its client was killed, ends the connection without executing what waits behind.
// Therefore Send asks for no answers: the server keeps them in a buffer of 8 KiB, and sends them at the next Sync, or
// when the buffer is full. Sync is to be called after each SyncEvery statements, so that this comes first.
//
// Only one process at a time has an open Pipeline of a name. The server executes what the last process sent before it
// lets the next one in.
//
// No goroutine is started. Locks: Pipeline.reading → Pipeline.mu, which is held across a write to the socket.
package pipeline
