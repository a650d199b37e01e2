package tables

import (
	"database/sql"
	"encoding/json"

	"github.com/dragoman-im/dragoman/transports"
)

// lastByKey keeps the last one of those with the same key, in order: one statement writes each row once.
func lastByKey[T any, K comparable](list []T, key func(T) K) []T {
	if len(list) < 2 {
		return list
	}
	last := make(map[K]int, len(list))
	for i, v := range list {
		last[key(v)] = i
	}
	if len(last) == len(list) {
		return list
	}
	kept := make([]T, 0, len(last))
	for i, v := range list {
		if last[key(v)] == i {
			kept = append(kept, v)
		}
	}
	return kept
}

// putAllCalls updates calls in one statement.
func putAllCalls(tx *sql.Tx, calls []Call) error {
	calls = lastByKey(calls, func(o Call) int64 { return o.Seq })
	n := len(calls)
	if n == 0 {
		return nil
	}
	seqs, data, notified := make([]int64, n), make([][]byte, n), make([]bool, n)
	states, parts, attempts, since := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	for i, o := range calls {
		seqs[i], data[i], notified[i] = o.Seq, notNull(o.Data), o.Notified
		states[i], parts[i], attempts[i], since[i] = int64(o.State), int64(o.Part), int64(o.Attempt), micros(o.Since)
	}
	_, err := tx.Exec(putAllCallsSQL, seqs, data, states, parts, attempts, since, notified)
	return err
}

// dropAllEchoes removes expected echoes in one statement.
func dropAllEchoes(tx *sql.Tx, echoes []Echo) error {
	n := len(echoes)
	if n == 0 {
		return nil
	}
	rooms, nets, kinds := make([]int64, n), make([]string, n), make([]string, n)
	for i, e := range echoes {
		rooms[i], nets[i], kinds[i] = e.Room, string(e.Net), e.Kind
	}
	_, err := tx.Exec(dropAllEchoesSQL, rooms, nets, kinds)
	return err
}

// putStates writes the resume states of logins.
func (s *Store) putStates(tx *sql.Tx, states map[transports.LoginID]json.RawMessage) error {
	if len(states) == 0 {
		return nil
	}
	if s.Local() {
		for id, state := range states {
			if _, err := tx.Exec(putStateSQL, []byte(state), string(id), s.id); err != nil {
				return err
			}
		}
		return nil
	}
	ids, values := make([]string, 0, len(states)), make([][]byte, 0, len(states))
	for id, state := range states {
		ids, values = append(ids, string(id)), append(values, []byte(state))
	}
	_, err := tx.Exec(putAllStatesSQL, ids, values, s.id)
	return err
}
