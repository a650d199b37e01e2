// Package transfer copies a database of core/store to another one, also of the other engine.
//
// Copy reads the source in one snapshot and writes the tables in the order of their foreign keys, some
// thousand rows in each transaction, in the order of the primary key. The target keeps in the
// table store_copy how far each table is, in the same transactions, so that a copy that was
// interrupted goes on where it was; a server does not open such a database (store.ErrUnfinished).
// At the end both databases are read completely and compared: by the number of rows and by
// a hash of all rows of each table. Then store_copy is dropped.
//
// Which tables and columns there are is asked of the databases, so that tables of any package are
// copied. Both must have the same ones: whoever calls Copy has opened and migrated both.
//
// No goroutine outlives Copy.
package transfer
