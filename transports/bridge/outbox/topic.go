package outbox

import (
	"context"

	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// topic changes the room's topic.
func (c *call) topic(ctx context.Context, r *result) error {
	changer, ok := c.client.(transports.Changer)
	if !ok {
		return transports.Refuse("not-allowed", "The topic cannot be changed from here.", nil)
	}
	_, err := changer.Apply(ctx, transports.Change{Kind: transports.ChangeTopic, Room: c.room.Net, Text: c.request.Topic})
	if err == nil {
		r.batch.Echoes = append(r.batch.Echoes, c.expect("", TopicEcho(c.request.Topic)))
	}
	return err
}

// showTopic shows those in the room a topic that the network has taken (XEP-0045 §8.1).
func (q *Queue) showTopic(ctx context.Context, c tables.Call, r convert.Request) {
	e := q.room.Engine()
	if e == nil {
		return
	}
	subject := room.Subject{Text: r.Topic}
	if r.By != nil {
		subject.OccupantID, subject.Nick = r.By.Occupant, r.By.Nick
	}
	if err := e.SetSubject(ctx, subject, c.Message, c.Stanza); err != nil {
		q.env.Log.Warn("showing the subject of a room", "room", q.conv.Row.Net, "error", err)
	}
}

// linkedTopic is the request to give the channel the subject that somebody has given a linked room; one of no kind where it has it already.
func (q *Queue) linkedTopic(m Linked, r convert.Request) (convert.Request, error) {
	if *m.Subject == q.conv.Row.Topic && !q.changesTopic() {
		return convert.Request{}, nil
	}
	if limit := q.env.Settings.Text; len(*m.Subject) > limit {
		return r, stanza.TooLong("topic", *m.Subject, limit)
	}
	r.By = &convert.Speaker{Occupant: m.Author.ID, Nick: m.Author.Nick}
	return r, nil
}

// changesTopic reports whether a change of the topic waits.
func (q *Queue) changesTopic() bool {
	for _, c := range q.pending {
		if convert.Kind(c.Kind) == convert.SendTopic {
			return true
		}
	}
	for _, a := range q.accepted {
		if a.request.Kind == convert.SendTopic {
			return true
		}
	}
	return false
}
