package slack

import (
	"context"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
	"github.com/dragoman-im/dragoman/transports/slack/content"
)

// Bounds of what is asked for because messages mention it.
const (
	maxGroups    = 5000
	maxMentioned = 20                      // people or channels of one message
	groupsEvery  = time.Hour               // how long the groups are taken as they were listed
	lookUpTime   = 1500 * time.Millisecond // Slack waits for three seconds until an event is acknowledged
)

// group is a group of users.
type group struct{ handle string }

// mentionedID is the id of somebody or something in mrkdwn or in a block.
var mentionedID = regexp.MustCompile(`(?:<[@#]|<!subteam\^|"(?:user|channel|usergroup)_id":")([UWCGS][A-Z0-9]{2,20})\b`)

// lookUp asks for the names of those whom a message mentions and who are not known. What cannot be found out keeps its id.
func (s *client) lookUp(ctx context.Context, m *rawMessage) {
	ctx, cancel := context.WithTimeout(ctx, lookUpTime)
	defer cancel()
	asked := map[string]bool{}
	for _, text := range []string{m.Text, string(m.Blocks), string(m.Attachments)} {
		for _, found := range mentionedID.FindAllStringSubmatch(text, maxMentioned) {
			id := found[1]
			if asked[id] || len(asked) == maxMentioned || s.hasName(id) {
				continue
			}
			asked[id] = true
			if err := s.findName(ctx, id); err != nil && ctx.Err() == nil {
				s.log.Debug("looking up what a message mentions", "id", id, "error", err)
			}
		}
	}
}

// hasName reports whether the name of an id is known, or was asked for in vain.
func (s *client) hasName(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.vain[id] {
		return true
	}
	switch id[0] {
	case 'S':
		return s.groups[id].handle != "" || time.Since(s.grouped) < groupsEvery
	case 'C', 'G':
		return s.rooms[id].Name != ""
	}
	return s.people[id].Name != ""
}

// findName finds out the name of an id.
func (s *client) findName(ctx context.Context, id string) error {
	switch id[0] {
	case 'S':
		return s.listGroups(ctx)
	case 'C', 'G':
		_, seen, err := s.sees(ctx, id)
		if err == nil && !seen {
			s.giveUp(id)
		}
		return err
	}
	_, err := s.Profile(ctx, userID(s.cred.Team, id))
	if transports.ClassOf(err) == transports.Refused {
		s.giveUp(id)
	}
	return err
}

// giveUp notes that the name of an id cannot be found out.
func (s *client) giveUp(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.vain) < maxPeople {
		s.vain[id] = true
	}
}

// forgetGroups has the groups listed again when they are needed.
func (s *client) forgetGroups() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grouped = time.Time{}
}

// knowGroups lists the groups that a text of ours may mention, where that was not done for a while.
func (s *client) knowGroups(ctx context.Context, t richtext.Text) {
	s.mu.Lock()
	known := time.Since(s.grouped) < groupsEvery
	s.mu.Unlock()
	if known || !strings.Contains(t.String(), "@") {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookUpTime)
	defer cancel()
	if err := s.listGroups(ctx); err != nil && ctx.Err() == nil {
		s.log.Debug("listing the groups of users", "error", err)
	}
}

// listGroups reads the groups of users. Without the scope for it there are none.
func (s *client) listGroups(ctx context.Context) error {
	s.mu.Lock()
	s.grouped = time.Now()
	s.mu.Unlock()
	var list struct {
		Groups []struct {
			ID     string `json:"id"`
			Handle string `json:"handle"`
		} `json:"usergroups"`
	}
	if err := s.paced(ctx, "usergroups.list", url.Values{}, &list); err != nil {
		return err
	}
	groups := map[string]group{}
	for _, g := range list.Groups[:min(len(list.Groups), maxGroups)] {
		if g.ID != "" && g.Handle != "" {
			groups[g.ID] = group{handle: content.Unescape(g.Handle)}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.putGroups(groups)
	return nil
}
