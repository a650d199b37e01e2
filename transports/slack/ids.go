package slack

import (
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/slack/content"
)

func userID(team, id string) transports.UserID { return content.UserID(team, id) }

func roomID(team, id string) transports.RoomID { return content.RoomID(team, id) }

func slackID[ID ~string](team string, id ID) (string, bool) { return content.SlackID(team, id) }

func stampTime(ts string) time.Time { return content.StampTime(ts) }

func timeStamp(t time.Time) string { return content.TimeStamp(t) }
