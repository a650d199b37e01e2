package tables

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/pipeline"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

const (
	addMarkSQL    = `INSERT INTO bridge_delivered (seq, archived) VALUES (CAST(? AS BIGINT), CAST(? AS BIGINT) <> 0) ON CONFLICT (seq) DO NOTHING`
	marksSQL      = `SELECT seq, archived FROM bridge_delivered WHERE seq BETWEEN ? AND ?`
	dropMarksSQL  = `DELETE FROM bridge_delivered WHERE seq = ANY(?)` // on PostgreSQL
	clearMarksSQL = `DELETE FROM bridge_delivered WHERE seq BETWEEN ? AND ?`
)

// Marks note in a PostgreSQL database that the messages of an event were delivered, before MarkDelivered does, without
// waiting for the database, by a pipeline, whose methods Sync and Close they have.
type Marks struct{ *pipeline.Pipeline }

// pipelines is an engine that has pipelines, on PostgreSQL.
type pipelines interface {
	NewPipeline(name, statement string, arguments int) *pipeline.Pipeline
}

// NewMarks returns the marks of the gateway, which Sync connects; nil where the database is a file of this machine.
func (s *Store) NewMarks() *Marks {
	engine := s.engine
	if p, ok := engine.(partitioned); ok {
		engine = p.Engine
	}
	p, ok := engine.(pipelines)
	if !ok || s.Local() {
		return nil
	}
	return &Marks{p.NewPipeline(fmt.Sprint("delivered ", s.id), addMarkSQL, 2)}
}

// Add notes that the messages of an event were delivered, and whether they were also archived for their receiver.
func (m *Marks) Add(seq int64, archived bool) error {
	flag := int64(0)
	if archived {
		flag = 1
	}
	return m.Send(seq, flag)
}

// Marked are the events that are noted as delivered, and whether each is archived too.
func (s *Store) Marked(ctx context.Context) (map[int64]bool, error) {
	type mark struct {
		seq      int64
		archived bool
	}
	marked := map[int64]bool{}
	for _, in := range s.numberRanges() {
		list, err := scan.Rows(ctx, s.engine.Reader(), func(row scan.Row) (m mark, err error) {
			err = row.Scan(&m.seq, &m.archived)
			return m, err
		}, marksSQL, in.from, in.to)
		if err != nil {
			return nil, fmt.Errorf("read delivery marks: %w", err)
		}
		for _, m := range list {
			marked[m.seq] = m.archived
		}
	}
	return marked, nil
}

var addMarks = store.NewInsert("bridge_delivered", []store.Column{{Name: "seq", Type: store.BigInt}, {Name: "archived", Type: store.Bool}}, "", "(seq) DO NOTHING")

// AddMarks adds marks that were noted elsewhere, and returns once they are on the disk.
func (d *Database) AddMarks(ctx context.Context, marked map[int64]bool) error {
	rows := make([][]any, 0, len(marked))
	for seq, archived := range marked {
		rows = append(rows, []any{seq, archived})
	}
	err := d.engine.Write(ctx, func(tx *sql.Tx) error {
		_, err := addMarks.Run(tx, d.engine.Dialect(), rows)
		return err
	})
	if err != nil {
		return fmt.Errorf("add delivery marks: %w", err)
	}
	return nil
}

// ClearMarks removes all marks.
func (s *Store) ClearMarks(ctx context.Context) error {
	err := s.engine.Write(ctx, func(tx *sql.Tx) error {
		for _, in := range s.numberRanges() {
			if _, err := tx.Exec(clearMarksSQL, in.from, in.to); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("remove delivery marks: %w", err)
	}
	return nil
}
