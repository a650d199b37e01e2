package delivery

import (
	"context"

	"github.com/dragoman-im/dragoman/core/store/pipeline"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// remote keeps notes in a PostgreSQL database.
type remote struct {
	marks *tables.Marks
	count int // of notes since due last returned true
}

// start implements notes: Recover has cleared the table.
func (r *remote) start(context.Context) error { return nil }

// add implements notes.
func (r *remote) add(seq int64, archived bool) error {
	r.count++
	return r.marks.Add(seq, archived)
}

// due reports whether Sync is to be called.
func (r *remote) due() bool {
	if r.count < pipeline.SyncEvery {
		return false
	}
	r.count = 0
	return true
}

// rotate implements notes: MarkDelivered removes the marks of single events.
func (r *remote) rotate() error { return nil }

// forgetOld implements notes.
func (r *remote) forgetOld() error { return nil }

// close implements notes.
func (r *remote) close() error { return r.marks.Close() }
