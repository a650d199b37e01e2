package slack

import (
	"bytes"
	"testing"

	"github.com/dragoman-im/dragoman/transports"
)

// What is put aside of an event that cannot be read is the event, without the token around it by which Slack's apps know Slack.
func TestRawEventHasNoToken(t *testing.T) {
	t.Parallel()
	a := newAnswered(t)
	d := &delivery{done: func(bool) {}}
	d.begin()
	a.app.dispatch(t.Context(), d, []byte(`{"token":"verification","type":"event_callback","team_id":"T1","authorizations":[{"team_id":"T1","user_id":"U9"}],
"event":{"type":"message","channel":"C1","user":"U2","text":"hi","ts":"1700000000.000200","thread_ts":{"new":1}}}`))
	d.end(nil)
	found := false
	a.sink.Lock()
	defer a.sink.Unlock()
	for _, e := range a.sink.Events {
		u, ok := e.Body.(transports.Unreadable)
		if !ok {
			continue
		}
		found = true
		if bytes.Contains(u.Raw, []byte("verification")) || !bytes.Contains(u.Raw, []byte(`"thread_ts":{"new":1}`)) {
			t.Errorf("put aside: %s", u.Raw)
		}
	}
	if !found {
		t.Errorf("nothing is put aside: %v", a.sink.Events)
	}
}
