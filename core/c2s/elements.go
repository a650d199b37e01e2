package c2s

import "github.com/dragoman-im/dragoman/core/stream"

// elements handle what is not a stanza on a stream with a session.
var elements = map[stream.Name]func(stream.Handler, *stream.Item) error{
	{Space: nsManagement, Local: "enable"}:    on((*conn).enable),
	{Space: nsManagement, Local: "resume"}:    on((*conn).unexpected), // XEP-0198 §5: instead of binding
	{Space: nsManagement, Local: "r"}:         on((*conn).requested),
	{Space: nsManagement, Local: "a"}:         on((*conn).acknowledged),
	{Space: nsClientState, Local: "active"}:   on((*conn).becomesActive),
	{Space: nsClientState, Local: "inactive"}: on((*conn).becomesInactive),
}

func on(f func(*conn, *stream.Item) error) func(stream.Handler, *stream.Item) error {
	return func(h stream.Handler, it *stream.Item) error { return f(h.(*conn), it) }
}
