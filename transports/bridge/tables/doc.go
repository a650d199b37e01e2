// Package tables keeps what gateways must not lose: logins, rooms, the inbox and the outbox, the map
// between ids of the network and of stanzas, puppets and the archive of rooms.
//
// The tables live in the database of core/store, with migrations and a version table of their
// own. Open prepares the database once for all gateways; Database.Gateway gives one gateway its
// part. One method is one statement or one transaction, with its SQL as a constant beside it;
// what it wrote is on the disk when it returns. A row that is not there is no error.
//
// Commit writes a Batch: everything that one step of a conversation changes. Times are
// microseconds since 1970. Sequence numbers of a gateway's rows carry the gateway's id in their
// upper bits, so that they are unique among all gateways.
//
// The SQL is understood by SQLite and PostgreSQL. No goroutine is started here and no lock held.
package tables
