// Package pipeline executes one statement of PostgreSQL many times, each time in a transaction of its own, and waits for
// no answer. When Send has returned, the statement is in the socket, so that it is executed even if this process ends
// now. It may be lost if the database server ends.
//
// A server that cannot send an answer, because its client was killed, ends the connection without executing the statements
// that it has received after that one. Therefore Send asks for no answers: the server keeps them in a buffer of 8 KiB, and sends
// them at the next Sync, or when the buffer is full. Call Sync after each SyncEvery statements, before the buffer is full.
//
// Only one process at a time has an open Pipeline of a name. The server executes what the last process sent before it
// lets the next one in.
//
// No goroutine is started. Locks: Pipeline.reading → Pipeline.mu, which is held across a write to the socket.
package pipeline
