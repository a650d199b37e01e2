package room

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
	"pgregory.net/rapid"
)

// model is a room as the tables of XEP-0045 §5 describe it: who has which affiliation, and who is in the room with which role.
type model struct {
	moderated, membersOnly bool
	aff                    map[string]rules.Affiliation
	role                   map[string]rules.Role // of those in the room
	left                   map[string]rules.Role // that is kept for the next visit (§5.1)
}

// usual is the table of §5.1.2.
func (m *model) usual(who string) rules.Role {
	switch m.aff[who] {
	case rules.AffOwner, rules.AffAdmin:
		return rules.RoleModerator
	case rules.AffMember:
		return rules.RoleParticipant
	}
	if m.moderated {
		return rules.RoleVisitor
	}
	return rules.RoleParticipant
}

func (m *model) enter(who string) string {
	switch {
	case m.aff[who] == rules.AffOutcast:
		return "forbidden"
	case m.membersOnly && m.aff[who] == rules.AffNone:
		return "registration-required"
	case m.role[who] != "":
		return ""
	}
	m.role[who] = m.usual(who)
	admin := m.aff[who] == rules.AffAdmin || m.aff[who] == rules.AffOwner
	if kept := m.left[who]; kept != "" && !admin && (m.moderated || kept == rules.RoleVisitor) {
		m.role[who] = kept
	}
	return ""
}

func (m *model) leave(who string) {
	if had := m.role[who]; had != "" {
		m.keep(who, had)
	}
	delete(m.role, who)
}

// keep notes with which role somebody enters the next time: a decision of a moderator outlasts the visit.
func (m *model) keep(who string, role rules.Role) {
	delete(m.left, who)
	if role != m.usual(who) && role != rules.RoleModerator {
		m.left[who] = role
	}
}

// level numbers affiliations and roles as the columns of the tables in §5.1.1 and §5.2.1.
var level = map[string]int{"outcast": 0, "none": 1, "member": 2, "admin": 3, "owner": 4, "visitor": 2, "participant": 3, "moderator": 4}

// setRole is the table of §5.1.3 with the rules of §8.2 to §8.4, §9.6 and §9.7.
func (m *model) setRole(by, who string, to rules.Role) string {
	admin := level[string(m.aff[by])] >= 3
	had := m.role[who]
	target, actor := level[string(m.aff[who])], level[string(m.aff[by])]
	switch {
	case had == "":
		return "item-not-found"
	case m.role[by] != rules.RoleModerator && !admin:
		return "forbidden"
	case to == had:
		return ""
	case to == rules.RoleNone && by == who:
	case to == rules.RoleNone && (target > actor || had == rules.RoleModerator && !admin): // §8.2
		return "not-allowed"
	case to == rules.RoleModerator && !admin: // §9.6
		return "forbidden"
	case to != rules.RoleNone && had == rules.RoleModerator && (!admin || target > actor || target >= 3): // §9.7
		return "not-allowed"
	case to == rules.RoleVisitor && (target > actor || target >= 2 && target >= actor): // §8.4
		return "not-allowed"
	}
	switch {
	case to != rules.RoleNone:
		m.role[who] = to
		m.keep(who, to)
	case m.left[who] == rules.RoleParticipant: // a kick ends the voice that was given, but does not give the one that was taken
		delete(m.left, who)
		fallthrough
	default:
		delete(m.role, who)
	}
	return ""
}

// setAffiliation is the table of §5.2.2.
func (m *model) setAffiliation(by, who string, to rules.Affiliation) string {
	from := m.aff[who]
	owners := 0
	for _, a := range m.aff {
		if a == rules.AffOwner {
			owners++
		}
	}
	switch {
	case m.aff[by] != rules.AffOwner && m.aff[by] != rules.AffAdmin:
		return "forbidden"
	case to == rules.AffOutcast && by == who: // §9.1
		return "conflict"
	case from != to && m.aff[by] == rules.AffAdmin && (from == rules.AffAdmin || from == rules.AffOwner):
		return "not-allowed"
	case from != to && m.aff[by] == rules.AffAdmin && (to == rules.AffAdmin || to == rules.AffOwner):
		return "forbidden"
	case from == rules.AffOwner && to != rules.AffOwner && owners == 1: // §10.4
		return "conflict"
	}
	if from != to { // the role goes by the new affiliation
		delete(m.left, who)
	}
	m.aff[who] = to
	had := m.role[who]
	switch {
	case had == "" || from == to:
	case to == rules.AffOutcast, to == rules.AffNone && m.membersOnly: // §9.1, §9.4
		delete(m.role, who)
	case level[string(to)] >= 3, to == rules.AffMember && had == rules.RoleVisitor, level[string(from)] >= 3: // §5.1.3
		m.role[who] = m.usual(who)
	}
	return ""
}

// TestRoomFollowsTheTables carries out random sequences of changes in a room and in the model: each is allowed or refused in both, with
// the same condition, and what is refused changes nothing.
func TestRoomFollowsTheTables(t *testing.T) {
	t.Parallel()
	people := []string{"ann", "bob", "cat", "dan", "eve"}
	all := []rules.Affiliation{rules.AffOutcast, rules.AffNone, rules.AffMember, rules.AffAdmin, rules.AffOwner}
	roles := []rules.Role{rules.RoleNone, rules.RoleVisitor, rules.RoleParticipant, rules.RoleModerator}
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{
			moderated: rapid.Bool().Draw(rt, "moderated"), membersOnly: rapid.Bool().Draw(rt, "members only"),
			aff: map[string]rules.Affiliation{"ann": rules.AffOwner, "bob": rules.AffAdmin, "cat": rules.AffMember, "dan": rules.AffNone, "eve": rules.AffNone}, role: map[string]rules.Role{}, left: map[string]rules.Role{},
		}
		p := newFixture(t, kept, func(o *Options) {
			o.Limits.Changes = 1000
			o.Snapshot = &Snapshot{Config: rules.Config{Moderated: m.moderated, MembersOnly: m.membersOnly}, Affiliations: map[jid.JID]affiliations.Entry{
				person("ann"): {Affiliation: rules.AffOwner}, person("bob"): {Affiliation: rules.AffAdmin}, person("cat"): {Affiliation: rules.AffMember}}}
		})
		for _, who := range people {
			p.in(enter(who+"/1", who))
			m.enter(who)
		}
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			by, who := rapid.SampledFrom(people).Draw(rt, "by"), rapid.SampledFrom(people).Draw(rt, "who")
			before := fmt.Sprintf("%+v", p.State())
			want, xml := "", ""
			switch rapid.IntRange(0, 5).Draw(rt, "change") {
			case 0, 1:
				xml, want = enter(who+"/1", who), m.enter(who)
			case 2:
				xml = "<presence from='" + who + "/1' to='/" + who + "' type='unavailable'/>"
				m.leave(who)
			case 3:
				to := rapid.SampledFrom(roles).Draw(rt, "role")
				xml, want = fmt.Sprintf(item("nick='"+who+"' role='"+string(to)+"'"), by+"/1"), m.setRole(by, who, to)
			default:
				to := rapid.SampledFrom(all).Draw(rt, "affiliation")
				xml, want = fmt.Sprintf(item("jid='"+who+"@example.org' affiliation='"+string(to)+"'"), by+"/1"), m.setAffiliation(by, who, to)
			}
			p.sent = nil
			p.in(xml)
			got := ""
			for _, s := range p.sent {
				if s.Type == stanza.TypeError {
					got = s.Err().Condition
				}
			}
			if got != want {
				rt.Fatalf("%s\n%q, the tables say %q\n%+v", xml, got, want, m)
			}
			if want != "" && fmt.Sprintf("%+v", p.State()) != before {
				rt.Fatalf("%s was refused and changed something", xml)
			}
			if a, b := p.summary(people), m.summary(people); a != b {
				rt.Fatalf("%s\nroom  %s\nmodel %s", xml, a, b)
			}
		}
	})
}

func (p *fixture) summary(people []string) string {
	var b strings.Builder
	for _, who := range people {
		o, in := p.ByNick(who)
		fmt.Fprintf(&b, "%s: %s %s; ", who, p.lists.Of(person(who)), o.Role)
		if in && o.Affiliation != p.lists.Of(person(who)) {
			fmt.Fprintf(&b, "(%s) ", o.Affiliation)
		}
	}
	return b.String()
}

func (m *model) summary(people []string) string {
	var b strings.Builder
	for _, who := range people {
		fmt.Fprintf(&b, "%s: %s %s; ", who, m.aff[who], m.role[who])
	}
	return b.String()
}
