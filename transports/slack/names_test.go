package slack

import (
	"encoding/json"
	"testing"

	"github.com/dragoman-im/dragoman/transports"
)

// Topics are shown like messages, and names without the escapes that Slack puts into all texts.
func TestNamesAndTopics(t *testing.T) {
	t.Parallel()
	s := unlinked()
	s.remember("U2", transports.UserInfo{Name: "Ben"})
	for in, want := range map[string]string{
		`{"id":"C1","name":"general","topic":{"value":"R&amp;D &lt;3 see <https://e.org/a|x> :tada: *now* <@U2>"}}`: "R&D <3 see x <https://e.org/a> 🎉 *now* @Ben",
		`{"id":"C1","name":"general","topic":{"value":""},"purpose":{"value":"a &gt; b"}}`:                          "a > b",
		`{"id":"C1","name":"general","topic":{"value":"one\ntwo"},"purpose":{"value":"x"}}`:                         "one\ntwo",
	} {
		var c rawChannel
		if err := json.Unmarshal([]byte(in), &c); err != nil {
			t.Fatal(err)
		}
		if got := s.room(c).Topic; got != want {
			t.Errorf("%s has the topic %q, want %q", in, got, want)
		}
	}
	u := rawUser{ID: "U3", Name: "tom", RealName: "Tom &amp; Jerry"}
	u.Profile.Title = "R&amp;D :rocket:"
	if got := s.person(u); got.Name != "Tom & Jerry" || got.Title != "R&D 🚀" {
		t.Errorf("%+v", got)
	}
	if got := files([]rawFile{{ID: "F1", Title: "a &lt; b.pdf", Alt: "&amp;"}}); got[0].Name != "a < b.pdf" || got[0].Alt != "&" {
		t.Errorf("%+v", got)
	}
	m := rawMessage{TS: "1700000000.000100", BotID: "B1", Username: "CI &amp; CD :rocket:"}
	if got := s.message(&m, transports.RoomInfo{ID: "t1-c1"}, "").Name; got != "CI & CD 🚀" {
		t.Errorf("%q", got)
	}
}
