package wordindex

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/dragoman-im/dragoman/core/search"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

// Index is the three tables of one kind of owners.
type Index struct {
	sql      map[string]string // statements with the names of the tables
	addOwner string
}

// New returns the index in the tables that begin with a prefix: prefix_owners, prefix_segments and prefix_chunks. addOwner is the
// statement that makes the row of an owner (?1), unless it is there or there is no such owner.
func New(prefix, addOwner string) *Index {
	x := &Index{map[string]string{}, addOwner}
	for _, text := range []string{
		stateSQL, lockStateSQL, setStateSQL, takeNumberSQL, bumpSQL, addSegmentSQL, segmentsSQL, setSegmentSQL, finishSegmentSQL, unfinishedSQL, allOfOwnerSQL,
		addChunkSQL, addChunksSQL, listsSQL, chunksSQL, chunksOfSQL, setChunkSQL, deleteChunksSQL, deleteSegmentSQL,
	} {
		x.sql[text] = strings.ReplaceAll(text, "PREFIX", prefix)
	}
	return x
}

// State says how far an owner is indexed.
type State struct {
	Indexed int64 // the last position that is
	Changed int64 // how often something was removed
	next    int64 // number of the next segment
	exists  bool
}

// Doc is the terms at one position.
type Doc struct {
	Position int64
	Terms    []search.Term
}

// segment is a row.
type segment struct {
	number, docs, first, last int64
}

// States of a segment's row.
const (
	building = iota // its chunks are being written; nobody reads it
	live
	dead // its chunks are being deleted
)

// State reads the state of an owner; the zero value where nothing is indexed.
func (x *Index) State(ctx context.Context, q scan.Querier, owner int64) (State, error) {
	return readState(ctx, q, x.sql[stateSQL], owner)
}

func readState(ctx context.Context, q scan.Querier, text string, owner int64) (s State, err error) {
	err = q.QueryRowContext(ctx, text, owner).Scan(&s.Indexed, &s.Changed, &s.next)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return State{}, nil
	case err != nil:
		return s, fmt.Errorf("read state of word index: %w", err)
	}
	s.exists = true
	return s, nil
}

// lock locks an owner's row, which is made where there is none, and reports whether the index is still as a state says.
func (x *Index) lock(tx *sql.Tx, owner int64, was State) (bool, error) {
	if !was.exists {
		if _, err := tx.Exec(x.addOwner, owner); err != nil {
			return false, fmt.Errorf("make word index: %w", err)
		}
	}
	now, err := readState(context.Background(), tx, x.sql[lockStateSQL], owner)
	return err == nil && now.exists && now.Indexed == was.Indexed && now.Changed == was.Changed && (now.next == was.next || !was.exists), err
}

// Add adds what was read after the state was: docs, in the order of their positions, all behind the last one. The owner is then
// indexed up to a position. It returns false, and changes nothing, where the index has changed meanwhile.
func (x *Index) Add(tx *sql.Tx, owner int64, was State, docs []Doc, to int64) (bool, error) {
	if ok, err := x.lock(tx, owner, was); !ok || err != nil {
		return false, err
	}
	next := max(was.next, 1)
	if chunks := build(docs); len(chunks) > 0 {
		s := segment{next, int64(len(docs)), docs[0].Position, docs[len(docs)-1].Position}
		if err := x.addSegment(tx, owner, s, live); err != nil {
			return false, err
		}
		if err := x.addChunks(tx, owner, next, chunks); err != nil {
			return false, err
		}
		next++
	}
	if _, err := tx.Exec(x.sql[setStateSQL], to, next, owner); err != nil {
		return false, fmt.Errorf("write word index: %w", err)
	}
	return true, nil
}

func (x *Index) addSegment(tx *sql.Tx, owner int64, s segment, state int) error {
	if _, err := tx.Exec(x.sql[addSegmentSQL], owner, s.number, state, s.docs, s.first, s.last); err != nil {
		return fmt.Errorf("write word index: %w", err)
	}
	return nil
}

// chunksAtOnce is how many chunks are inserted by one statement.
const chunksAtOnce = 8

func (x *Index) addChunks(tx *sql.Tx, owner, segment int64, chunks []chunk) error {
	for len(chunks) > 0 {
		n, text := 1, x.sql[addChunkSQL]
		if len(chunks) >= chunksAtOnce {
			n, text = chunksAtOnce, x.sql[addChunksSQL]
		}
		args := make([]any, 0, 5*n)
		for _, c := range chunks[:n] {
			args = append(args, owner, segment, c.term, c.part, c.data)
		}
		if _, err := tx.Exec(text, args...); err != nil {
			return fmt.Errorf("write word index: %w", err)
		}
		chunks = chunks[n:]
	}
	return nil
}

// segments are those of an owner that overlap a range of positions, the oldest first.
func (x *Index) segments(ctx context.Context, q scan.Querier, owner, from, to int64) ([]segment, error) {
	list, err := scan.Rows(ctx, q, func(row scan.Row) (s segment, err error) {
		err = row.Scan(&s.number, &s.docs, &s.first, &s.last)
		return s, err
	}, x.sql[segmentsSQL], owner, from, to)
	if err != nil {
		return nil, fmt.Errorf("read word index: %w", err)
	}
	return list, nil
}

const (
	stateSQL      = `SELECT indexed, changed, next FROM PREFIX_owners WHERE owner = ?`
	lockStateSQL  = stateSQL + ` /*postgres FOR UPDATE*/`
	setStateSQL   = `UPDATE PREFIX_owners SET indexed = ?, next = ? WHERE owner = ?`
	takeNumberSQL = `UPDATE PREFIX_owners SET next = next + 1 WHERE owner = ? RETURNING next - 1`
	bumpSQL       = `UPDATE PREFIX_owners SET changed = changed + 1 WHERE owner = ?`

	addSegmentSQL    = `INSERT INTO PREFIX_segments (owner, number, state, docs, first, last) VALUES (?, ?, ?, ?, ?, ?)`
	segmentsSQL      = `SELECT number, docs, first, last FROM PREFIX_segments WHERE owner = ? AND state = 1 AND last >= ? AND first <= ? ORDER BY first`
	setSegmentSQL    = `UPDATE PREFIX_segments SET state = ? WHERE owner = ? AND number = ?`
	finishSegmentSQL = `UPDATE PREFIX_segments SET state = 1 WHERE owner = ? AND number = ? AND state = 0`
	unfinishedSQL    = `SELECT owner, number FROM PREFIX_segments WHERE state <> 1`

	addChunkSQL  = `INSERT INTO PREFIX_chunks (owner, segment, term, part, data) VALUES (?, ?, ?, ?, ?)`
	addChunksSQL = addChunkSQL + chunkMarks + chunkMarks + chunkMarks + chunkMarks + chunkMarks + chunkMarks + chunkMarks // chunksAtOnce
	chunkMarks   = `, (?, ?, ?, ?, ?)`
	listsSQL     = `SELECT term, data FROM PREFIX_chunks WHERE owner = ?1 AND segment = ?2 AND term <= ?3
AND term >= (SELECT max(term) FROM PREFIX_chunks WHERE owner = ?1 AND segment = ?2 AND term <= ?3) ORDER BY term, part`
	chunksSQL   = `SELECT term, part, data FROM PREFIX_chunks WHERE owner = ? AND segment = ? ORDER BY term, part`
	chunksOfSQL = `SELECT term, part, data FROM PREFIX_chunks WHERE owner = ?1 AND segment = ?2 AND term <= ?3
AND term >= (SELECT max(term) FROM PREFIX_chunks WHERE owner = ?1 AND segment = ?2 AND term <= ?3) ORDER BY term, part`
	setChunkSQL = `UPDATE PREFIX_chunks SET data = ? WHERE owner = ? AND segment = ? AND term = ? AND part = ?`

	deleteChunksSQL = `DELETE FROM PREFIX_chunks WHERE owner = ?1 AND segment = ?2 AND (term, part) IN (
SELECT term, part FROM PREFIX_chunks WHERE owner = ?1 AND segment = ?2 ORDER BY term, part LIMIT ?3)`
	deleteSegmentSQL = `DELETE FROM PREFIX_segments WHERE owner = ? AND number = ?`
	allOfOwnerSQL    = `SELECT number FROM PREFIX_segments WHERE owner = ?`
)
