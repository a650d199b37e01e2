package tables

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/search"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/scan"
	"github.com/dragoman-im/dragoman/core/store/wordindex"
)

const addWordsOwnerSQL = `INSERT INTO bridge_words_owners (owner, room, indexed, changed, next)
SELECT CAST(?1 AS BIGINT), id, 0, 0, 1 FROM bridge_rooms WHERE id = CAST(?1 AS BIGINT) / 2
ON CONFLICT (owner) DO NOTHING`

// roomWords is the index of the words in rooms.
var roomWords = wordindex.New("bridge_words", addWordsOwnerSQL)

// half is the live messages of a room, or those of its history, which have numbers below zero.
type half struct{ owner, first, last int64 }

func halves(room int64) (history, live half) {
	return half{2*room + 1, -HistoryOffset, -1}, half{2 * room, 0, 1<<63 - 1}
}

func halfOf(room, seq int64) half {
	history, live := halves(room)
	if seq < 0 {
		return history
	}
	return live
}

// indexed is the last position of the half that is indexed; that of a history without an index is 0.
func (h half) indexed(state wordindex.State) int64 {
	if state.Indexed == 0 {
		return h.first
	}
	return state.Indexed
}

// wordsOf are the terms by which a message of a room is found.
func wordsOf(a Archived) []search.Term { return search.AppendTerms(nil, textOf(a)) }

func textOf(a Archived) string {
	return message.Text(&stanza.Stanza{Kind: stanza.Message, Type: stanza.TypeGroupchat, Extra: a.Extra, Payload: a.Payload})
}

// Sizes of the reading by words.
const (
	wordsTail   = 1024   // messages of a room that are not indexed
	wordsAtOnce = 8192   // messages of one segment of the index
	maxExamined = 10_000 // messages that one search reads
	searchPiece = 64     // messages that one statement reads
)

// wordSearch is a search in a room for messages that match words and conditions.
type wordSearch struct {
	reads     scan.Querier
	match     *roomConditions
	words     *search.Query
	backwards bool
	want      int

	rows     []Archived
	examined int
	reached  string // id of the last message that was read
}

// run searches a room, in its order or backwards.
func (w *wordSearch) run(ctx context.Context, room int64) error {
	if w.words.Empty() {
		return nil
	}
	history, live := halves(room)
	order := []half{history, live}
	if w.backwards {
		order = []half{live, history}
	}
	for _, h := range order {
		state, err := roomWords.State(ctx, w.reads, h.owner)
		if err != nil {
			return err
		}
		indexed := h.indexed(state)
		steps := []func() error{
			func() error { return w.indexed(ctx, h, indexed) },
			func() error { return w.rest(ctx, indexed, h.last) },
		}
		if w.backwards {
			steps[0], steps[1] = steps[1], steps[0]
		}
		for _, step := range steps {
			if err := step(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *wordSearch) done() bool { return len(w.rows) >= w.want || w.examined >= maxExamined }

// indexed searches what the index has.
func (w *wordSearch) indexed(ctx context.Context, h half, to int64) error {
	if w.done() {
		return nil
	}
	in := wordindex.Search{Terms: w.words.Terms(), From: max(h.first, w.match.from), To: min(to, w.match.to), Backwards: w.backwards}
	return roomWords.Find(ctx, w.reads, h.owner, in, func(positions []int64) (bool, error) {
		for len(positions) > 0 && !w.done() {
			some := positions[:min(len(positions), searchPiece)]
			positions = positions[len(some):]
			args := make([]any, len(some))
			for i, p := range some {
				args[i] = p
			}
			if _, err := w.read(ctx, ` AND seq IN (?`+strings.Repeat(", ?", len(some)-1)+`)`, args...); err != nil {
				return false, err
			}
		}
		return !w.done(), nil
	})
}

// rest searches the messages behind a position one by one.
func (w *wordSearch) rest(ctx context.Context, after, last int64) error {
	for from, to := after+1, last; !w.done(); {
		list, err := w.read(ctx, ` AND seq BETWEEN ? AND ?`, from, to)
		if err != nil || len(list) < searchPiece {
			return err
		}
		if w.backwards {
			to = list[len(list)-1].Seq - 1
		} else {
			from = list[len(list)-1].Seq + 1
		}
	}
	return nil
}

// read reads some messages, and keeps those that match.
func (w *wordSearch) read(ctx context.Context, condition string, args ...any) ([]Archived, error) {
	order := " ORDER BY seq LIMIT ?"
	if w.backwards {
		order = " ORDER BY seq DESC LIMIT ?"
	}
	all := append(append(append([]any(nil), w.match.args...), args...), searchPiece)
	list, err := scan.Rows(ctx, w.reads, readRoomArchive, roomArchiveColumns+w.match.where()+condition+order, all...)
	for _, a := range list {
		if w.done() {
			break
		}
		w.examined, w.reached = w.examined+1, a.ID
		if w.words.Match(textOf(a)) {
			w.rows = append(w.rows, a)
		}
	}
	return list, err
}

// page gives a page of the messages that match.
func (w *wordSearch) page(ctx context.Context, room int64, size int) (page ArchivePage, err error) {
	w.want = size + 1
	if err := w.run(ctx, room); err != nil {
		return page, fmt.Errorf("search room: %w", err)
	}
	page.Complete, page.Rows = len(w.rows) <= size, w.rows[:min(len(w.rows), size)]
	if page.Complete && w.examined >= maxExamined {
		page.Complete, page.Reached = false, w.reached
	}
	return page, nil
}

const (
	roomsOfGatewaySQL = `SELECT id FROM bridge_rooms WHERE gateway = ?`
	unindexedRoomSQL  = roomArchiveColumns + `room = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?`
	countUnindexedSQL = `SELECT count(*) FROM (SELECT 1 FROM bridge_archive WHERE room = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?) AS tail`
	firstOfRoomSQL    = `SELECT coalesce(min(seq), 0) FROM bridge_archive WHERE room = ? AND seq BETWEEN ? AND ?`
)

// IndexWords indexes the words of archived messages (XEP-0431), in each room where a thousand messages have come. first says that it is
// the first call of the process.
func (s *Store) IndexWords(ctx context.Context, first bool) error {
	reads := s.engine.Reader()
	if first {
		if err := roomWords.Clean(ctx, reads, s.engine); err != nil {
			return err
		}
	}
	rooms, err := scan.Rows(ctx, reads, func(row scan.Row) (id int64, err error) {
		err = row.Scan(&id)
		return id, err
	}, roomsOfGatewaySQL, s.id)
	for i := 0; i < len(rooms) && err == nil; i++ {
		history, live := halves(rooms[i])
		for _, h := range []half{history, live} {
			if err == nil {
				err = s.indexHalf(ctx, rooms[i], h)
			}
		}
	}
	if err != nil {
		return fmt.Errorf("index rooms by words: %w", err)
	}
	return nil
}

func (s *Store) indexHalf(ctx context.Context, room int64, h half) error {
	reads := s.engine.Reader()
	changed := false
	for more := true; more; {
		state, err := roomWords.State(ctx, reads, h.owner)
		if err != nil {
			return err
		}
		after, n := h.indexed(state), 0
		if err := reads.QueryRowContext(ctx, countUnindexedSQL, room, after, h.last, wordsTail).Scan(&n); err != nil {
			return err
		}
		if n < wordsTail {
			break
		}
		rows, err := scan.Rows(ctx, reads, readRoomArchive, unindexedRoomSQL, room, after, h.last, wordsAtOnce)
		if err != nil {
			return err
		}
		more = len(rows) == wordsAtOnce
		docs := make([]wordindex.Doc, len(rows))
		for i, a := range rows {
			docs[i] = wordindex.Doc{Position: a.Seq, Terms: wordsOf(a)}
		}
		added := false
		err = s.engine.Write(ctx, func(tx *sql.Tx) (err error) {
			added, err = roomWords.Add(tx, h.owner, state, docs, docs[len(docs)-1].Position)
			return err
		})
		if !added || err != nil {
			return err // a message was removed meanwhile: the next call tries again
		}
		changed = true
	}
	if !changed {
		return nil
	}
	var oldest int64
	if err := reads.QueryRowContext(ctx, firstOfRoomSQL, room, h.first, h.last).Scan(&oldest); err != nil {
		return err
	}
	return roomWords.Merge(ctx, reads, s.engine, h.owner, oldest)
}

const (
	retractedSQL            = roomArchiveColumns + `room = ? AND id = ?`
	retractedCorrectionsSQL = roomArchiveColumns + `room = ? AND corrects = ? AND corrects <> ''`
)

// unindex takes the words of a message that is going to be retracted, and of its corrections, out of the index.
func unindex(tx *sql.Tx, room int64, id string) error {
	for _, text := range []string{retractedSQL, retractedCorrectionsSQL} {
		list, err := scan.Rows(context.Background(), tx, readRoomArchive, text, room, id)
		if err != nil {
			return err
		}
		for _, a := range list {
			if terms := wordsOf(a); len(terms) > 0 {
				if err := roomWords.Remove(tx, halfOf(room, a.Seq).owner, a.Seq, terms); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
