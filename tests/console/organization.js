// Organizations that the tests load.

/** A name that runs a script wherever a page does not escape it. */
export const HOSTILE = '<img src=x onerror=alert(1)>"\'><script>alert(2)</script>';
const LONG = 'Supercalifragilistic'.repeat(12);
const NAMES = [HOSTILE, LONG, 'فرح حداد', '山田 浩', '👩‍🔬 Zoë', 'Ada Lovelace'];

/** The address of a person by number. */
export const address = (number) => `person${number}@example.com`;

/** An organization with several pages of users, names of all kinds, and a person with two paths to a permission. */
export function full() {
  const people = Array.from({ length: 240 }, (_, number) => ({
    id: `user_${number}`,
    email: address(number),
    name: NAMES[number] ?? `Person ${number}`,
    role: number === 5 ? 'owner' : 'reader',
    roles: number === 3 ? ['Group editors'] : [],
  }));
  const inGroup = people.slice(0, 120).map((user) => user.id);
  return {
    organization: { id: 'org-tests', title: 'Tests' },
    users: people,
    roles: [
      { id: 'role_editors', name: 'Group editors', description: HOSTILE, permissions: ['api.groups.read', 'api.groups.write'] },
      { id: 'role_hostile', name: HOSTILE, permissions: ['api.groups.read'] },
    ],
    groups: [
      { id: 'group_research', name: 'ML Research', members: inGroup, roles: ['Group editors'] },
      { id: 'group_hostile', name: HOSTILE, members: ['user_0', 'user_1'], roles: [HOSTILE] },
      { id: `group_${'0123456789'.repeat(5)}`, name: LONG, members: ['user_2'] },
      { id: 'group_support', name: 'Support', members: people.slice(100, 150).map((user) => user.id) },
      { id: 'group_scim', name: 'All staff', is_scim_managed: true, members: ['user_4'] },
      { id: 'group_empty', name: 'Nobody yet', members: [] },
    ],
    projects: [
      { id: 'proj_hostile', name: HOSTILE, users: [{ user: 'user_0' }], groups: [] },
      { id: 'proj_plain', name: 'Search', users: [{ user: 'user_5' }] },
    ],
  };
}
