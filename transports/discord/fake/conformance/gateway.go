package conformance

import (
	"encoding/json"
	"fmt"

	"github.com/dragoman-im/dragoman/transports/discord/fake"
)

// The names of opcodes in gateway.schema.json.
func sendNames() map[int]string {
	return map[int]string{
		1: "HEARTBEAT", 2: "IDENTIFY", 3: "PRESENCE_UPDATE", 4: "VOICE_STATE_UPDATE", 6: "RESUME", 8: "REQUEST_GUILD_MEMBERS",
	}
}

func receiveNames() map[int]string {
	return map[int]string{1: "HEARTBEAT", 7: "RECONNECT", 9: "INVALID_SESSION", 10: "HELLO", 11: "HEARTBEAT_ACK"}
}

// frame checks one payload of the gateway, or a close code.
func (d *descriptions) frame(f fake.Frame) error {
	if f.Data == nil {
		if !d.close[f.Close] {
			return fmt.Errorf("close code %d is in no list of Discord", f.Close)
		}
		return nil
	}
	var p struct {
		Op *int            `json:"op"`
		T  *string         `json:"t"`
		S  *int            `json:"s"`
		D  json.RawMessage `json:"d"`
	}
	if err := json.Unmarshal(f.Data, &p); err != nil {
		return fmt.Errorf("no payload: %w", err)
	}
	if p.Op == nil {
		return fmt.Errorf("no opcode")
	}
	if f.FromClient {
		name, ok := sendNames()[*p.Op]
		if !ok {
			return fmt.Errorf("opcode %d is none that a client sends", *p.Op)
		}
		return d.check(gatewayURL, []string{"$defs", "Send", "properties", name}, identify(f.Data))
	}
	if *p.Op != 0 {
		name, ok := receiveNames()[*p.Op]
		if !ok {
			return fmt.Errorf("opcode %d is none that a server sends", *p.Op)
		}
		return d.check(gatewayURL, []string{"$defs", "Receive", "properties", name}, f.Data)
	}
	if p.T == nil || p.S == nil {
		return fmt.Errorf("an event without name or sequence")
	}
	at := []string{"$defs", "Dispatch", "properties", *p.T}
	if f.Partial {
		at = []string{"$defs", "PartialMessageUpdate"}
	}
	if err := d.check(gatewayURL, at, p.D); err != nil {
		return fmt.Errorf("%s: %w", *p.T, err)
	}
	return nil
}
