package router

import (
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// The sessions of one account, which answer nothing, leave room for the questions of others.
func TestQuestionsToOwnSessionsBounded(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	var last *stanza.Stanza
	asks := func(from, to string) bool {
		return th.host.Ask(jid.MustParse(from), jid.MustParse(to), stanza.NewElement("urn:test", "query"), func(st *stanza.Stanza) { last = st },
			func(*stanza.Stanza, func(*stanza.Stanza)) {})
	}
	for i := range maxOwnQuestions {
		if !asks("romeo@home.test", "romeo@home.test/x") {
			t.Fatalf("question %d is refused", i)
		}
	}
	if asks("romeo@home.test", "romeo@home.test/y") {
		t.Error("one more is sent")
	}
	id := last.ID
	if !asks("romeo@home.test", "push.away.test") || !asks("juliet@home.test", "juliet@home.test/x") {
		t.Error("others are refused")
	}
	l := &th.host.requests.questions
	if l.take(id, jid.MustParse("romeo@home.test/x")) == nil || !asks("romeo@home.test", "romeo@home.test/y") {
		t.Error("refused after an answer")
	}
	for id, q := range l.byID {
		l.take(id, q.to)
	}
	if len(l.own) != 0 {
		t.Errorf("left: %v", l.own)
	}
}
