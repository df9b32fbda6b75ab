export interface Contract {
  id: number;
  title: string;
  /** The id of the account that owns it: the `sub` of its tokens. */
  owner: string;
}

export interface Contracts {
  of(owner: string): Contract[];
  add(owner: string, title: string): Contract;
}

/** Keeps contracts in memory. A real service has a database here. */
export function createContracts(): Contracts {
  const contracts: Contract[] = [];
  return {
    of: (owner) => contracts.filter((contract) => contract.owner === owner),
    add: (owner, title) => {
      const contract = { id: contracts.length + 1, title, owner };
      contracts.push(contract);
      return contract;
    },
  };
}
