package links

import (
	"fmt"
	"testing"
)

// Somebody who writes under many names does not take memory for each of them for ever.
func TestPersonsAreForgotten(t *testing.T) {
	t.Parallel()
	l := &link{persons: persons{by: map[string]*person{}}}
	on := &person{id: "on its way"}
	l.out.pending = []*sending{{speaker: on, state: sent}}
	l.persons.by[on.id] = on
	l.persons.by["inside"] = &person{id: "inside", state: inside}
	l.persons.by["banned"] = &person{id: "banned", state: banned}
	for i := range 3 * maxPersons {
		l.forgetPersons()
		id := fmt.Sprint(i)
		l.persons.by[id] = &person{id: id, state: refused}
		if len(l.persons.by) > maxPersons {
			t.Fatalf("%d people are remembered", len(l.persons.by))
		}
	}
	for _, id := range []string{"on its way", "inside", "banned"} {
		if l.persons.by[id] == nil {
			t.Errorf("%s is forgotten", id)
		}
	}
}
