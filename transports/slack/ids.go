package slack

import (
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/transports"
)

// userID and roomID make the bridge's ids of Slack's.
func userID(team, id string) transports.UserID {
	if id == "" {
		return ""
	}
	return transports.UserID(strings.ToLower(team + "-" + id))
}

func roomID(team, id string) transports.RoomID {
	return transports.RoomID(strings.ToLower(team + "-" + id))
}

// slackID takes Slack's own id out of one of ours; ok is false for another team's.
func slackID[ID ~string](team string, id ID) (string, bool) {
	prefix, rest, found := strings.Cut(strings.ToUpper(string(id)), "-")
	return rest, found && rest != "" && prefix == strings.ToUpper(team)
}

// stampTime is the time that a ts names: seconds, a dot and six digits.
func stampTime(ts string) time.Time {
	seconds, micros, _ := strings.Cut(ts, ".")
	s, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return time.Time{}
	}
	us, _ := strconv.ParseInt((micros + "000000")[:6], 10, 64)
	return time.Unix(s, us*1000).UTC()
}

// timeStamp is the reverse of stampTime.
func timeStamp(t time.Time) string {
	micros := strconv.FormatInt(int64(t.Nanosecond()/1000), 10)
	return strconv.FormatInt(t.Unix(), 10) + "." + strings.Repeat("0", 6-len(micros)) + micros
}
