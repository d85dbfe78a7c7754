package emulator

import (
	"fmt"
	"log"
	"os"
	"testing"
)

var shared *Emulator

func TestMain(m *testing.M) {
	var err error
	if shared, err = Start("../../acme/organization.yaml"); err != nil {
		log.Fatal(err)
	}
	code := m.Run()
	shared.Close()
	os.Exit(code)
}

func members(organization *Organization, group string) int {
	var page struct{ Data []struct{ ID string } }
	organization.Call("GET", "/organization/groups/"+group+"/users", nil, &page)
	return len(page.Data)
}

// They change the same group at the same time, and never see each other.
func TestMembersComeAndGo(t *testing.T) {
	for number := 0; number < 25; number++ {
		t.Run(fmt.Sprint(number), func(t *testing.T) {
			t.Parallel()
			organization := shared.NewOrganization(t)
			users := "/organization/groups/group_support/users"
			if status := organization.Call("POST", users, map[string]string{"user_id": "user_ada"}, nil); status != 200 {
				t.Fatalf("adding answered %d", status)
			}
			if count := members(organization, "group_support"); count != 7 {
				t.Fatalf("%d members", count)
			}
			if status := organization.Call("DELETE", users+"/user_ada", nil, nil); status != 200 {
				t.Fatalf("removing answered %d", status)
			}
			if status := organization.Call("DELETE", users+"/user_ada", nil, nil); status != 404 {
				t.Fatalf("removing again answered %d", status)
			}
			organization.Verify("remove-group-user", map[string]string{"group_id": "group_support"}, 2)
			organization.Control("POST", "/reset", nil)
			if count := members(organization, "group_support"); count != 6 {
				t.Fatalf("%d members after a reset", count)
			}
		})
	}
}
