package state

import (
	"fmt"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Whom a text names is found in a guild of 100,000 members as fast as in a small one: a text with many signs holds nothing up.
func TestNamedInALargeGuild(t *testing.T) {
	t.Parallel()
	s := New("")
	s.SetGuild(&objects.Guild{ID: "1", Name: "Guild"})
	for i := range 100_000 {
		s.SetMember("1", &objects.User{ID: fmt.Sprint(i + 10), Username: fmt.Sprintf("user_%d", i), GlobalName: fmt.Sprintf("Member Number %d", i)}, "")
	}
	begin := time.Now()
	for range 8000 { // 200 texts
		if n, size := s.Named("1", '@', "member number 99999, and more"); n.ID != "100009" || size != len("member number 99999") {
			t.Fatalf("found %+v, %d bytes", n, size)
		}
	}
	if took := time.Since(begin); took > 8*time.Second {
		t.Errorf("8,000 names took %s", took)
	}
}

// What is found follows every change of names, guilds, roles and channels.
func TestNamedFollowsChanges(t *testing.T) {
	t.Parallel()
	s := New("")
	s.SetGuild(&objects.Guild{ID: "1"})
	s.SetGuild(&objects.Guild{ID: "2"})
	named := func(sign byte, text, want string) {
		t.Helper()
		n, size := s.Named("1", sign, text)
		if got := fmt.Sprint(n.Kind, " ", n.ID, " ", size); got != want {
			t.Errorf("%c%s names %s, want %s", sign, text, got, want)
		}
	}
	const nobody = "  0"
	ann := &objects.User{ID: "10", Username: "ann", GlobalName: "Ann"}
	s.SetMember("1", ann, "Boss")
	named('@', "boss", "user 10 4")
	named('@', "ann", "user 10 3")
	s.SetMember("1", ann, "")
	named('@', "boss", nobody)
	s.SetMember("2", &objects.User{ID: "11", Username: "eve", GlobalName: "Ann"}, "") // of another guild
	named('@', "Ann", "user 10 3")
	named('@', "eve", nobody)
	s.SetMember("2", &objects.User{ID: "10", Username: "anna", GlobalName: "Ann"}, "")
	named('@', "anna", "user 10 4")
	s.DropMember("1", "10")
	named('@', "anna", nobody)
	role := &objects.Role{ID: "20", Name: "Crew"}
	s.SetRole("1", role)
	named('@', "crew", nobody)
	role.Mentionable = true
	s.SetRole("1", role)
	named('@', "crew", string(richtext.Group)+" 20 4")
	s.SetRole("1", &objects.Role{ID: "20", Name: "Staff", Mentionable: true})
	named('@', "crew", nobody)
	s.SetChannel(&objects.Channel{ID: "30", GuildID: "1", Name: "tea"})
	named('#', "tea", string(richtext.Channel)+" 30 3")
	s.SetChannel(&objects.Channel{ID: "30", GuildID: "1", Name: "coffee"})
	named('#', "tea", nobody)
	s.SetChannel(&objects.Channel{ID: "31", GuildID: "1", ParentID: "30", Type: objects.TypePublicThread, Name: "beans"})
	named('#', "beans", string(richtext.Channel)+" 31 5")
	s.DropChannel("30")
	named('#', "coffee", nobody)
	named('#', "beans", nobody)
	if len(s.index.channels) > 0 {
		t.Error("names of channels are left")
	}
}
