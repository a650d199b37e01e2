package channelsearch

import (
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// refusal adds an application-specific condition to a stanza error (XEP-0433 §4.2.2).
func refusal(e *stanza.Error, condition string) *stanza.Error {
	e.App = stanza.NewElement(nsErrors, condition)
	return e
}

// conflict is the answer to fields that contradict each other (XEP-0433 §4.2.2.6).
func conflict(text string, fields ...string) *stanza.Error {
	e := refusal(stanza.BadRequest(text), "conflicting-fields")
	for _, f := range fields {
		e.App.Add(stanza.TextElement(nsErrors, "var", f))
	}
	return e
}

// errRate is the answer to a searcher who searches too often, or while too many others do (XEP-0433 §4.2.2.4).
func errRate(wait time.Duration) *stanza.Error {
	e := refusal(stanza.ResourceConstraint("You search too often. Please wait a little."), "rate-limit")
	e.App.With("retry-after", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	return e
}
