package conversation

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

func event(seq int64) tables.Event { return tables.Event{Seq: seq, Position: seq} }

func held(seq int64) tables.Event {
	return tables.Event{Seq: seq, Position: seq, Priority: tables.PriorityHeld}
}

// empty is what is in memory once a query has found nothing.
func empty() *recent { return &recent{} }

// store admits events and adds them.
func (r *recent) store(events ...tables.Event) {
	for _, e := range events {
		r.arrive(e.Seq)
		r.add(e)
	}
}

func wantTaken(t *testing.T, r *recent, limit int, want ...int64) []tables.Event {
	t.Helper()
	rows, ok := r.take(limit)
	if !ok {
		t.Fatalf("events have to be read, want %v", want)
	}
	if got := numbers(rows); !slices.Equal(got, want) {
		t.Fatalf("took %v, want %v", got, want)
	}
	return rows
}

func wantReading(t *testing.T, r *recent, limit int) {
	t.Helper()
	if rows, ok := r.take(limit); ok {
		t.Fatalf("took %v from memory", numbers(rows))
	}
}

func numbers(rows []tables.Event) (list []int64) {
	for _, e := range rows {
		list = append(list, e.Seq)
	}
	return list
}

func TestRecentStart(t *testing.T) {
	t.Parallel()
	r := &recent{more: true}
	r.store(event(5))
	wantReading(t, r, 3)
	r.endReading([]tables.Event{event(2), event(5)}, 3)
	r.putBack(nil)
	r.store(event(6))
	wantTaken(t, r, 3, 6)
}

// Events that are held, or were taken in vain, come again before the others.
func TestRecentPutBack(t *testing.T) {
	t.Parallel()
	r := empty()
	r.store(event(1), event(2), event(3))
	rows := wantTaken(t, r, 2, 1, 2)
	r.store(event(4))
	r.putBack(rows[1:])
	wantTaken(t, r, 9, 2, 3, 4)
	wantReading(t, r, 9) // they were not put back: the goroutine has panicked
	r.endReading([]tables.Event{event(3), event(4)}, 9)
	r.putBack(nil)
	wantTaken(t, r, 9)
}

// An event that a query has returned before it was added is processed once.
func TestRecentReadBeforeAdded(t *testing.T) {
	t.Parallel()
	r := &recent{more: true}
	r.arrive(1)
	r.arrive(2)
	r.arrive(3)
	wantReading(t, r, 9)
	r.add(event(1)) // while the query runs
	r.endReading([]tables.Event{event(1), event(2)}, 9)
	r.putBack(nil)
	wantTaken(t, r, 9)
	r.add(event(2))
	wantTaken(t, r, 9)
	r.add(event(3))
	wantTaken(t, r, 9, 3)
}

// Events that a backfill brings go before live ones: the order is read from the database.
func TestRecentOrder(t *testing.T) {
	t.Parallel()
	r := empty()
	r.store(held(1), event(2))
	wantReading(t, r, 9)
	r.endReading([]tables.Event{event(2), held(1)}, 9)
	r.store(held(3))
	r.putBack([]tables.Event{held(1)})
	rows := wantTaken(t, r, 9, 1, 3)
	r.store(event(4)) // before those that were taken
	r.putBack(rows)
	wantReading(t, r, 9)
}

func TestRecentForgetWhileReading(t *testing.T) {
	t.Parallel()
	r := &recent{more: true}
	wantReading(t, r, 9)
	r.forget() // an event was replayed
	r.store(event(7))
	r.endReading(nil, 9)
	wantReading(t, r, 9)
}

// Of more events than fit the first ones are in memory.
func TestRecentLimits(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 100 << 10} {
		r := empty()
		stored := int64(0)
		for ; !r.more; stored++ {
			e := event(stored)
			e.Data = make([]byte, size)
			r.store(e)
		}
		kept := len(r.rows)
		if want := map[int]int{0: maxRecent, 100 << 10: 2}[size]; kept != want {
			t.Fatalf("%d events of %d bytes are kept, want %d", kept, size, want)
		}
		r.store(event(stored))
		rows, ok := r.take(kept)
		if !ok || len(rows) != kept || rows[kept-1].Seq != int64(kept-1) {
			t.Fatalf("%v %t", numbers(rows), ok)
		}
		r.putBack(nil)
		if r.size != 0 {
			t.Errorf("%d bytes of no events", r.size)
		}
		wantReading(t, r, 1)
	}
}

// After rooms were removed, events that are being stored may be of the old or the new room of that number.
func TestRecentForgetAll(t *testing.T) {
	t.Parallel()
	r := empty()
	r.arrive(1)
	r.forgetAll()
	wantReading(t, r, 9)
	r.endReading(nil, 9)
	wantTaken(t, r, 9)
	r.add(event(1))
	wantReading(t, r, 9)
}

func TestRecentTimeIsThatOfTheDatabase(t *testing.T) {
	t.Parallel()
	r := empty()
	e := event(1)
	e.At = time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.FixedZone("", 3600))
	r.store(e)
	if got, want := wantTaken(t, r, 1, 1)[0].At, time.Date(2026, 1, 2, 2, 4, 5, 678901000, time.UTC); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

// recentModel is a database, its writer and a conversation's goroutine, whose steps happen in any order.
type recentModel struct {
	r       *recent
	seq     int64
	put     []tables.Event         // admitted, to be written
	written []func()               // calls of add and drop to be made
	adding  map[int64]bool         // written, add was not called
	pending map[int64]tables.Event // in the database
	done    map[int64]tables.Event // processed
	unclear int                    // changes of the database of which memory does not know yet
	taken   []tables.Event         // that the goroutine has
	phase   string                 // of the goroutine
	query   []tables.Event         // result of the query
}

const modelLimit = 3

func (m *recentModel) inOrder() []tables.Event {
	var rows []tables.Event
	for _, e := range m.pending {
		rows = append(rows, e)
	}
	slices.SortFunc(rows, func(a, b tables.Event) int {
		if orderKeyOf(a).before(orderKeyOf(b)) {
			return -1
		}
		return 1
	})
	return rows
}

func (m *recentModel) admit(t *rapid.T) {
	m.seq++
	e := event(m.seq)
	if rapid.Bool().Draw(t, "held") {
		e.Priority = tables.PriorityHeld
	}
	if rapid.IntRange(0, 5).Draw(t, "size") == 0 {
		e.Data = big
	}
	m.r.arrive(e.Seq)
	at := len(m.put)
	if at > 0 && rapid.IntRange(0, 5).Draw(t, "overtakes") == 0 {
		at--
	}
	m.put = slices.Insert(m.put, at, e)
}

var big = make([]byte, 100<<10)

func (m *recentModel) write(t *rapid.T) {
	for n := rapid.IntRange(0, 3).Draw(t, "rows"); n > 0 && len(m.put) > 0; n-- {
		e := m.put[0]
		m.put = m.put[1:]
		switch rapid.IntRange(0, 9).Draw(t, "outcome") {
		case 0: // an error
			m.written = append(m.written, func() { m.r.drop(e.Seq) })
		case 1: // a duplicate, which moves the first one
			m.move(e)
		default:
			m.pending[e.Seq], m.adding[e.Seq] = e, true
			m.written = append(m.written, func() {
				delete(m.adding, e.Seq)
				m.r.add(e)
			})
		}
	}
}

func (m *recentModel) move(e tables.Event) {
	for _, old := range m.inOrder() {
		if old.Priority == tables.PriorityHeld {
			old.Priority, old.Position = tables.PriorityNow, e.Position
			m.pending[old.Seq] = old
			break
		}
	}
	m.unclear++
	m.written = append(m.written, func() {
		m.unclear--
		m.r.drop(e.Seq)
		m.r.forget()
	})
}

func (m *recentModel) report() {
	if len(m.written) > 0 {
		m.written[0]()
		m.written = m.written[1:]
	}
}

// step has the goroutine go on.
func (m *recentModel) step(t *rapid.T) {
	switch m.phase {
	case "":
		rows, ok := m.r.take(modelLimit)
		if !ok {
			m.phase = "query"
			return
		}
		m.check(t, rows)
		m.taken, m.phase = rows, "process"
	case "query":
		m.query = m.inOrder()
		m.query, m.phase = m.query[:min(len(m.query), modelLimit)], "result"
	case "result":
		m.r.endReading(m.query, modelLimit)
		m.taken, m.phase = m.query, "process"
	case "process":
		m.process(t)
	}
}

// check compares events from memory with the database.
func (m *recentModel) check(t *rapid.T, rows []tables.Event) {
	for i, e := range rows {
		if i > 0 && !orderKeyOf(rows[i-1]).before(orderKeyOf(e)) {
			t.Fatalf("not in order: %v", numbers(rows))
		}
		if m.unclear == 0 && (m.pending[e.Seq].Seq != e.Seq || orderKeyOf(m.pending[e.Seq]) != orderKeyOf(e)) {
			t.Fatalf("%d is not pending, or elsewhere", e.Seq)
		}
	}
	for _, e := range m.inOrder() {
		if m.unclear > 0 || m.adding[e.Seq] || slices.Contains(numbers(rows), e.Seq) {
			continue
		}
		if len(rows) < modelLimit || !orderKeyOf(rows[len(rows)-1]).before(orderKeyOf(e)) {
			t.Fatalf("%d was passed over by %v", e.Seq, numbers(rows))
		}
	}
}

func (m *recentModel) process(t *rapid.T) {
	m.phase = ""
	var kept []tables.Event
	outcome := rapid.IntRange(0, 5).Draw(t, "end")
	for _, e := range m.taken {
		if outcome == 0 || rapid.IntRange(0, 4).Draw(t, "wait") == 0 {
			kept = append(kept, e)
			continue
		}
		if _, ok := m.done[e.Seq]; ok {
			t.Fatalf("%d was processed twice", e.Seq)
		}
		m.done[e.Seq] = e
		delete(m.pending, e.Seq)
	}
	if outcome != 1 { // else it panics
		m.r.putBack(kept)
	}
}

// replay has an event processed once more.
func (m *recentModel) replay() {
	for seq, e := range m.done {
		delete(m.done, seq)
		m.pending[seq] = e
		m.later(m.r.forget)
		return
	}
}

// later is called with what follows a change of the database.
func (m *recentModel) later(f func()) {
	m.unclear++
	m.written = append(m.written, func() {
		m.unclear--
		f()
	})
}

// Whatever the order of steps, each event is processed once and none is passed over.
func TestRecentModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := &recentModel{r: &recent{more: true}, adding: map[int64]bool{}, pending: map[int64]tables.Event{}, done: map[int64]tables.Event{}}
		actions := map[string]func(*rapid.T){
			"admit": m.admit, "admit more": m.admit, "write": m.write, "write more": m.write, "step": m.step, "step on": m.step, "step further": m.step,
			"report":      func(*rapid.T) { m.report() },
			"report more": func(*rapid.T) { m.report() },
			"replay": func(t *rapid.T) {
				if m.phase == "" && rapid.IntRange(0, 3).Draw(t, "rarely") == 0 {
					m.replay()
				}
			},
			"hold": func(t *rapid.T) {
				if rapid.IntRange(0, 3).Draw(t, "rarely") == 0 {
					m.r.forget()
				}
			},
		}
		t.Repeat(actions)
		for len(m.put) > 0 {
			m.write(t)
		}
		for len(m.written) > 0 {
			m.report()
		}
		for i := 0; len(m.pending) > 0; i++ {
			if i > 10000 {
				t.Fatalf("%v are never processed", numbers(m.inOrder()))
			}
			m.step(t)
		}
		if len(m.r.arriving) > 0 {
			t.Fatalf("%v are arriving still", m.r.arriving)
		}
	})
}
