package archive

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

// hit is a message that was found in an archive.
type hit struct {
	archive *Readable
	entry   Entry
	// at orders the messages of different archives. Within an archive it does not rise from a message to the one before it,
	// although the clock may have been set back.
	at time.Time
}

// merge collects the newest messages of archives.
type merge struct {
	question Question
	from     *Position
	hits     []hit // the newest first, as many as a page has
	parts    map[*Readable]*readPart
}

// readPart is what was read of an archive.
type readPart struct {
	found    int    // messages
	complete bool   // there are no more
	reached  string // the last one that was looked at, where there may be more
}

func newMerge(q Question) *merge {
	m := &merge{question: q, from: q.After, parts: map[*Readable]*readPart{}}
	if m.from == nil {
		m.from = &Position{}
	}
	return m
}

// read reads the newest messages of an archive, but none that is older than all of a full page.
func (m *merge) read(ctx context.Context, a *Readable) error {
	if m.from.ended[a.JID] {
		return nil
	}
	q := m.question
	f := Filter{Words: &q.Words, Start: q.Start, End: q.End}
	if asked := m.from.asked; !asked.IsZero() && (f.End.IsZero() || asked.Before(f.End)) {
		f.End = asked
	}
	if a.JID == q.Account {
		f.With = q.With
	}
	raised := false
	if len(m.hits) == q.Size {
		if oldest := m.hits[q.Size-1].at; oldest.After(f.Start) {
			f.Start, raised = oldest, true
		}
	}
	r, err := a.Store.Query(ctx, a.JID, f, Page{Max: q.Size, Bytes: pageBytes, Before: m.from.before[a.JID], Backwards: true})
	part := &readPart{found: len(r.Entries), complete: r.Complete, reached: r.Reached}
	if raised { // what is older was passed over
		part.complete, part.reached = false, ""
	}
	m.parts[a] = part
	if errors.Is(err, ErrNoEntry) { // the archive is another one meanwhile
		part.complete = true
		return nil
	}
	if err != nil {
		return err
	}
	var last time.Time
	for i, e := range slices.Backward(r.Entries) {
		h := hit{a, e, e.At}
		if i < len(r.Entries)-1 && h.at.After(last) {
			h.at = last
		}
		last = h.at
		m.hits = append(m.hits, h)
	}
	slices.SortStableFunc(m.hits, func(a, b hit) int { return b.at.Compare(a.at) })
	m.hits = m.hits[:min(len(m.hits), q.Size)]
	return nil
}

// next is where the next page begins; nil where nothing is left.
func (m *merge) next(archives []Readable) *Position {
	next := &Position{asked: cmp.Or(m.from.asked, time.Now()), before: map[jid.JID]string{}, ended: map[jid.JID]bool{}}
	left := false
	for i := range archives {
		a := &archives[i]
		if m.from.ended[a.JID] {
			next.ended[a.JID] = true
			continue
		}
		part, taken, before := m.parts[a], 0, m.from.before[a.JID]
		for _, h := range m.hits {
			if h.archive == a {
				taken, before = taken+1, h.entry.ID
			}
		}
		if taken == part.found {
			next.ended[a.JID] = part.complete
			if part.reached != "" {
				before = part.reached
			}
		}
		if before != "" {
			next.before[a.JID] = before
		}
		left = left || !next.ended[a.JID]
	}
	if !left {
		return nil
	}
	return next
}
