package orders

import (
	"encoding/json"
	"errors"
	"strings"
)

// Text is a word that the app wrote out (a JSON string), or one in which `$(NAME)` is still to be replaced, because
// NAME is known only inside the group (`{"template": "…"}`). In a template `$$` is a dollar.
type Text struct {
	Value    string
	Template bool
}

// UnmarshalJSON reads both forms.
func (t *Text) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		*t = Text{}
		return json.Unmarshal(data, &t.Value)
	}
	var form struct {
		Template *string `json:"template"`
	}
	if err := decodeStrictly(data, &form); err != nil {
		return err
	}
	if form.Template == nil {
		return errors.New("a text is a string or has a template")
	}
	*t = Text{Value: *form.Template, Template: true}
	return nil
}

// MarshalJSON writes what UnmarshalJSON reads.
func (t Text) MarshalJSON() ([]byte, error) {
	if !t.Template {
		return json.Marshal(t.Value)
	}
	return json.Marshal(map[string]string{"template": t.Value})
}

// Expand replaces what a template names, by a kubelet's rules: `$(X)` of an unknown X stays, `$$(X)` is `$(X)`, and
// what was put in is not read again.
func (t Text) Expand(lookup func(name string) (string, bool)) string {
	if !t.Template {
		return t.Value
	}
	var out strings.Builder
	for rest := t.Value; rest != ""; {
		at := strings.IndexByte(rest, '$')
		if at < 0 || at+1 == len(rest) {
			out.WriteString(rest)
			break
		}
		out.WriteString(rest[:at])
		piece, length := expandOne(rest[at:], lookup)
		out.WriteString(piece)
		rest = rest[at+length:]
	}
	return out.String()
}

// expandOne reads what begins with a dollar and is at least two bytes long: what it becomes, and how long it was.
func expandOne(text string, lookup func(string) (string, bool)) (string, int) {
	if text[1] == '$' {
		return "$", 2
	}
	end := strings.IndexByte(text, ')')
	if text[1] != '(' || end < 0 {
		return text[:2], 2
	}
	if value, known := lookup(text[2:end]); known {
		return value, end + 1
	}
	return text[:end+1], end + 1
}
